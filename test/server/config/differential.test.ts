// The table against the real server: defaults, and what it says of good and bad values.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Directive } from '../../../server/config/directive.ts';
import { directives } from '../../../server/config/directives.ts';
import { type RealRedis, realRedisMissing, startRealRedis } from '../../support/real-redis.ts';
import { testSettings } from './support.ts';

/** What the oracle runs with or what depends on its machine. */
const skipped = new Set([
  'enable-protected-configs',
  'port',
  'dir',
  'unixsocket',
  'save',
  'pidfile',
  'maxclients',
  'bind',
  'requirepass',
]);
/** Newer than the oracle, or (the backlog's floor) raised by an effect. */
const newer =
  /^(repl-backlog-size|locale-collate|.*-cpulist|cluster-announce-human-nodename|set-max-listpack-.*|loglevel|use-exit-on-panic|rdb-version|rdb-module-values|tls-.*)$/;

/** A number the oracle takes for a percentage; a number in C's own notation. */
const oddities = new Set(['maxmemory-clients 99999999999999999999', 'latency-tracking-info-percentiles 0x10']);

const values = [
  'abc',
  '-1',
  '-2',
  '1gb',
  '10k',
  '50%',
  '300%',
  '',
  'yes',
  'No',
  '1.5',
  '007',
  '+1',
  '0x10',
  '4294967296',
  '-2147483649',
  '99999999999999999999',
  '10 20',
  '1 2 3',
  '/',
  'a\tb',
  'KEA',
  'xg',
  'now nosave',
  'save nosave',
  'normal 1mb 2mb 3',
  'normal 1 2',
  'foo 1 2 3',
  'normal 1 1 x',
  '1 2 5000',
  'a b c',
  '99.999 1.10',
  '{title} x',
  '{x}',
];

describe.skipIf(realRedisMissing())('directives beside the real server', () => {
  let real: RealRedis;
  beforeAll(async () => {
    real = await startRealRedis('--enable-protected-configs', 'yes');
  });
  afterAll(() => real?.stop());

  it('has the same defaults', async () => {
    const settings = testSettings();
    const reply = (await real.call('CONFIG', 'GET', '*')) as string[];
    for (let at = 0; at + 1 < reply.length; at += 2) {
      const name = reply[at] as string;
      if (skipped.has(name)) continue;
      expect([name, settings.text(name)]).toEqual([name, reply[at + 1]]);
    }
  });

  const rows = (directives as readonly Directive[]).filter(
    ({ name, immutable }) => !immutable && !skipped.has(name) && !newer.test(name),
  );
  it.each(rows.map(({ name }) => name))('%s takes and refuses the same values', async (name) => {
    const initial = testSettings().text(name) as string;
    for (const value of values) {
      if (oddities.has(`${name} ${value}`)) continue;
      const settings = testSettings();
      settings.put('enable-protected-configs', 'yes');
      const ours = settings.set([[name, value]]) ?? settings.text(name);
      const answer = await real.call('CONFIG', 'SET', name, value);
      const theirs =
        answer instanceof Error ? answer.message : ((await real.call('CONFIG', 'GET', name)) as string[])[1];
      expect([value, ours]).toEqual([value, theirs]);
      await real.call('CONFIG', 'SET', name, initial);
    }
  });
});
