// Plan, apply, put back, remove: on real files in a directory of its own.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyChanges, Journal, receiptEntries } from '../../../src/setup/apply.ts';
import type { FileItem, Item } from '../../../src/setup/items.ts';
import { type PlanContext, planChanges } from '../../../src/setup/plan.ts';
import { inherit, type Receipt } from '../../../src/setup/receipt.ts';
import { planLines } from '../../../src/setup/show.ts';
import { planRemoval, removePlanned } from '../../../src/setup/uninstall.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsredis-changes-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (...names: string[]) => join(root, ...names);

function file(path: string, content: string, foreign: FileItem['foreign'] = 'keep'): FileItem {
  return {
    kind: 'file',
    path,
    content: Buffer.from(content),
    mode: 0o640,
    owner: undefined,
    foreign,
    restarts: true,
    isProgram: false,
  };
}

const items = (content: string): Item[] => [
  { kind: 'directory', path: at('data'), mode: 0o750, owner: undefined, exclusive: true },
  file(at('etc', 'redis', 'a.conf'), content),
  { kind: 'touch', path: at('a.log'), mode: 0o640, owner: undefined },
  { kind: 'link', path: at('bin', 'x'), target: '/somewhere', restarts: false, optional: true },
];

function context(receipt?: Receipt, overwrite = false): PlanContext {
  return { receipt, owners: undefined, overwrite, timestamp: '20260101T000000Z', mask: (line) => line };
}

function install(list: readonly Item[], receipt?: Receipt, overwrite = false): { receipt: Receipt; journal: Journal } {
  const changes = planChanges(list, context(receipt, overwrite));
  const journal = new Journal();
  applyChanges(changes, undefined, journal);
  const entries = receiptEntries(changes, receipt?.entries ?? [], () => false);
  const answers = { confFile: '', logFile: '', dataDirectory: at('data'), bind: [], settings: [], minimal: false };
  const base = { format: 1, port: 1, service: 'redis_1', version: '1', createdAt: '' } as const;
  return { receipt: { ...base, answers, entries }, journal };
}

const actions = (list: readonly Item[], receipt?: Receipt) =>
  planChanges(list, context(receipt)).map(({ action }) => action);

/** Everything below the root, with content and mode. */
function snapshot(directory = root): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return [`${path}/`, ...snapshot(path)];
    return entry.isFile() ? [`${path} ${statSync(path).mode} ${readFileSync(path, 'utf8')}`] : [path];
  });
}

describe('a plan', () => {
  it('is shown with modes and differences before anything changes', () => {
    const changes = planChanges(items('port 1\n'), context());
    const lines = planLines({ service: 'redis_1', changes, commands: [], warnings: [], serviceUser: undefined }, true);
    expect(lines).toContain(`create   ${at('etc', 'redis', 'a.conf')}  0640 you`);
    expect(lines).toContain('    +port 1');
    expect(lines).toContain(`create   ${at('etc')}/  0700 you`);
    expect(snapshot()).toEqual([]);
  });

  it('comes true, exactly, and is then empty', () => {
    const { receipt } = install(items('port 1\n'));
    expect(readFileSync(at('etc', 'redis', 'a.conf'), 'utf8')).toBe('port 1\n');
    expect(statSync(at('etc', 'redis', 'a.conf')).mode & 0o7777).toBe(0o640);
    expect(statSync(at('data')).mode & 0o7777).toBe(0o750);
    expect(new Set(actions(items('port 1\n'), receipt))).toEqual(new Set(['same']));
    expect(readdirSync(at('etc', 'redis'))).toEqual(['a.conf']);
  });

  it('replaces its own file, keeps one that was changed by hand, or replaces it after a backup', () => {
    const { receipt } = install(items('port 1\n'));
    const conf = at('etc', 'redis', 'a.conf');
    expect(actions(items('port 2\n'), receipt)[1]).toBe('replace');
    writeFileSync(conf, 'port 3\n');
    const kept = planChanges(items('port 2\n'), context(receipt))[1];
    expect(kept?.action).toBe('keep');
    expect(kept?.note).toContain('changed since tsredis wrote it');
    install(items('port 2\n'), receipt, true);
    expect(readFileSync(conf, 'utf8')).toBe('port 2\n');
    expect(readFileSync(`${conf}.20260101T000000Z.bak`, 'utf8')).toBe('port 3\n');
  });

  it('refuses a service file that somebody else wrote', () => {
    writeFileSync(at('redis_1'), '#!/bin/sh\n');
    expect(() => planChanges([file(at('redis_1'), 'x', 'refuse')], context())).toThrow('was not made by tsredis');
  });

  it('never writes through a planted link', () => {
    writeFileSync(at('victim'), 'precious');
    symlinkSync(at('victim'), at('a.conf'));
    expect(() => planChanges([file(at('a.conf'), 'x', 'replace')], context())).toThrow('was not made by tsredis');
    expect(readFileSync(at('victim'), 'utf8')).toBe('precious');
  });

  it('leaves other programs of the same name alone', () => {
    mkdirSync(at('bin'));
    writeFileSync(at('bin', 'x'), 'theirs');
    install(items('port 1\n'));
    expect(readFileSync(at('bin', 'x'), 'utf8')).toBe('theirs');
  });
});

describe('putting back', () => {
  it('restores content and modes, and removes what was made', async () => {
    mkdirSync(at('etc'));
    const before = snapshot();
    const { journal } = install(items('port 1\n'));
    expect(await journal.undo()).toEqual([]);
    expect(snapshot()).toEqual(before);
    const { receipt } = install(items('port 1\n'));
    const second = snapshot();
    const { journal: update } = install(items('port 2\n'), receipt);
    expect(snapshot()).not.toEqual(second);
    await update.undo();
    expect(snapshot()).toEqual(second);
  });

  it('goes on past a step that fails, and says so', async () => {
    const journal = new Journal();
    const done: string[] = [];
    journal.note(() => void done.push('first'));
    journal.note(() => {
      throw new Error('no');
    });
    expect(await journal.undo()).toEqual(['no']);
    expect(done).toEqual(['first']);
  });
});

describe('removal', () => {
  it('takes what the receipt says, and leaves data, log and changed files', () => {
    const { receipt } = install(items('port 1\n'));
    writeFileSync(at('data', 'dump.rdb'), 'data');
    writeFileSync(at('data', 'notes.txt'), 'mine');
    const options = { keepShared: false, purgeData: false };
    const done = removePlanned(planRemoval(receipt, options));
    expect(done.find(({ path }) => path === at('data'))?.action).toBe('keep');
    expect(snapshot().map((line) => line.split(' ')[0])).toEqual([
      at('a.log'),
      `${at('data')}/`,
      at('data', 'dump.rdb'),
      at('data', 'notes.txt'),
    ]);
    // The rest of the data goes on request, but nothing that a server would not write.
    removePlanned(planRemoval(receipt, { ...options, purgeData: true }));
    expect(readdirSync(root)).toEqual(['data']);
    expect(readdirSync(at('data'))).toEqual(['notes.txt']);
  });

  it('removes the append-only log with its directory, unless something else is in there', () => {
    const { receipt } = install(items('port 1\n'));
    const options = { keepShared: false, purgeData: true };
    const log = at('data', 'appendonlydir');
    mkdirSync(log);
    writeFileSync(join(log, 'appendonly.aof.manifest'), 'manifest');
    writeFileSync(join(log, 'notes.txt'), 'mine');
    const kept = removePlanned(planRemoval(receipt, options)).filter(({ action }) => action === 'keep');
    expect(kept.map(({ path, note }) => [path, note])).toEqual([
      [log, 'it is not empty'],
      [at('data'), 'it is not empty'],
    ]);
    expect(readdirSync(log)).toEqual(['notes.txt']);
    rmSync(join(log, 'notes.txt'));
    removePlanned(planRemoval(receipt, options));
    expect(readdirSync(root)).toEqual([]);
  });

  it('keeps a file that was changed, and says why', () => {
    const { receipt } = install(items('port 1\n'));
    writeFileSync(at('etc', 'redis', 'a.conf'), 'port 1\n# mine\n');
    const kept = planRemoval(receipt, { keepShared: false, purgeData: true }).find(({ action }) => action === 'keep');
    expect(kept).toMatchObject({ path: at('etc', 'redis', 'a.conf'), note: 'it was changed since tsredis wrote it' });
  });

  it('never removes what was there before the first run', () => {
    mkdirSync(at('data'));
    writeFileSync(at('a.log'), 'old');
    const { receipt } = install(items('port 1\n'));
    removePlanned(planRemoval(receipt, { keepShared: false, purgeData: true }));
    expect(readdirSync(root).sort()).toEqual(['a.log', 'data']);
  });

  it('hands the shared program over to the instance that stays', () => {
    const entry = (path: string, shared: boolean) => ({ path, kind: 'file' as const, sha256: path, shared });
    const base = install([]).receipt;
    const leaving = { ...base, entries: [entry('/lib/a', true), entry('/etc/1.conf', false)], createdUser: 'tsredis' };
    const staying = { ...base, entries: [entry('/lib/b', true)] };
    expect(inherit(staying, leaving)).toMatchObject({
      entries: [entry('/lib/b', true), entry('/lib/a', true)],
      createdUser: 'tsredis',
    });
  });
});
