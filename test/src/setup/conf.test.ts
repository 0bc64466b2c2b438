import { describe, expect, it } from 'vitest';
import { directives } from '../../../server/config/directives.ts';
import { localHost } from '../../../src/host/host.ts';
import { type Assignment, maskSecret, nearestDirective, parseConf, renderConf } from '../../../src/setup/conf.ts';
import { unknownToBinary } from '../../../src/setup/executable.ts';
import { realRedisMissing } from '../../support/real-redis.ts';

const options = { title: 'test', notes: [], minimal: false };
const odd = '/srv/a#b & "c" \'d\'/größe 100% $x';

const assignments: Assignment[] = [
  ['bind', ['127.0.0.1', '-::1']],
  ['port', ['6400']],
  ['dir', [odd]],
  ['save', ['900', '1']],
  ['save', ['60', '100']],
  ['requirepass', ['s3cret "x"']],
  ['rename-command', ['FLUSHALL', '']],
];

describe('the generated configuration', () => {
  it('gives back what was asked for, whatever the characters', () => {
    for (const minimal of [true, false]) {
      const settings = parseConf('/x.conf', renderConf(assignments, { ...options, minimal }));
      expect(settings.port).toBe(6400);
      expect(settings.string('dir')).toBe(odd);
      expect(settings.text('save')).toBe('900 1 60 100');
      expect(settings.string('requirepass')).toBe('s3cret "x"');
      expect(settings.renames).toEqual([['FLUSHALL', '']]);
    }
  });

  it('explains every directive, and comes to the defaults when its comments are taken away', () => {
    const text = renderConf([], options);
    for (const directive of directives) {
      if ('debug' in directive) continue;
      expect(text).toContain(`\n# ${directive.name}`);
      expect(text).toContain(`\n# ${directive.about} (`);
    }
    const uncommented = text
      .split('\n')
      .filter((line) => /^# [a-z_-]+ \S/.test(line) && !/[.)]$/.test(line))
      .map((line) => line.slice(2));
    const settings = parseConf('/x.conf', uncommented.join('\n'));
    expect(settings.text('maxmemory-policy')).toBe('noeviction');
    expect(settings.text('save')).toBe('3600 1 300 100 60 10000');
  });

  it('is short on request', () => {
    expect(renderConf([['port', ['1']]], { ...options, minimal: true })).toBe('# test\nport 1\n');
  });

  it('names the line and the nearest directive when something is wrong', () => {
    expect(() => parseConf('/x.conf', 'port 1\nmaxmemori 1gb\n')).toThrow(
      '/x.conf line 2: Bad directive or wrong number of arguments (did you mean maxmemory?)',
    );
    expect(() => parseConf('/x.conf', 'port 99999')).toThrow('argument must be between 0 and 65535 inclusive');
    expect(nearestDirective('appendfsnyc')).toBe('appendfsync');
    expect(nearestDirective('qqqqqqqqqqqqqqqq')).toBeUndefined();
  });

  it('hides secrets when shown', () => {
    expect(maskSecret('requirepass foo bar')).toBe('requirepass ***');
    expect(maskSecret('# requirepass ""')).toBe('# requirepass ""');
    expect(maskSecret('port 1')).toBe('port 1');
  });
});

describe.skipIf(realRedisMissing())('the generated configuration beside a real redis-server', () => {
  const host = localHost();

  it('is understood, and what is not is named', async () => {
    const known = renderConf(assignments, options);
    expect(await unknownToBinary(host, '/usr/bin/redis-server', '/x.conf', known)).toEqual([]);
    const newer = renderConf([...assignments, ['set-max-listpack-entries', ['5']], ['locale-collate', ['C']]], options);
    expect(await unknownToBinary(host, '/usr/bin/redis-server', '/x.conf', newer)).toEqual([
      'locale-collate C',
      'set-max-listpack-entries 5',
    ]);
  });

  it('is refused with the reason', async () => {
    const text = 'port 1\nmaxmemory much\n';
    await expect(unknownToBinary(host, '/usr/bin/redis-server', '/x.conf', text)).rejects.toThrow(
      '/x.conf line 2: argument must be a memory value',
    );
  });
});
