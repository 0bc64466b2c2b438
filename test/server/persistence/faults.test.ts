// A disk that fails at every call persistence makes: the files that were there stay whole, clients are told, and service
// goes on by itself when the disk is back.

import * as fs from 'node:fs';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DirectiveName } from '../../../server/config/directives.ts';
import { createSettings } from '../../../server/config/settings.ts';
import { Keyspace } from '../../../server/keyspace/keyspace.ts';
import { Encoding, Type } from '../../../server/keyspace/layout.ts';
import { AppendLog } from '../../../server/persistence/append-log.ts';
import type { Disk } from '../../../server/persistence/disk.ts';
import { Dumper } from '../../../server/persistence/dumper.ts';
import type { Environment } from '../../../server/persistence/environment.ts';
import { Saver } from '../../../server/persistence/save.ts';

const WAIT_MS = 4000;

type Call = 'open' | 'write' | 'fsync' | 'fdatasync' | 'rename' | 'truncate';

/** A disk on which chosen calls fail. */
class FailingDisk {
  readonly failing = new Map<Call, string>();
  /** The next write takes this many bytes only; null for all. */
  shortWriteBytes: number | null = null;
  syncs = 0;
  onSync: () => void = () => undefined;
  /** Background flushes wait for releaseSyncs(). */
  holdsSyncs = false;
  private readonly heldSyncs: (() => void)[] = [];
  readonly disk: Disk;

  constructor() {
    const check = (call: Call) => this.check(call);
    const later = (call: Call, done: (error: NodeJS.ErrnoException | null) => void, really: () => void) => {
      const error = this.errorOf(call);
      if (error === null) really();
      else setImmediate(() => done(error));
    };
    this.disk = {
      ...fs,
      openSync: (path, flags, mode) => {
        if (flags !== 'r') check('open');
        return fs.openSync(path, flags, mode);
      },
      writeSync: (fd, bytes, offset, length, position) => {
        if (this.shortWriteBytes !== null && length > this.shortWriteBytes) {
          const count = fs.writeSync(fd, bytes, offset, this.shortWriteBytes, position);
          this.shortWriteBytes = null;
          return count;
        }
        check('write');
        return fs.writeSync(fd, bytes, offset, length, position);
      },
      writev: (fd, chunks, position, done) => {
        const error = this.errorOf('write');
        if (error === null) fs.writev(fd, chunks, position, done);
        else setImmediate(() => done(error, 0));
      },
      fsyncSync: (fd) => {
        check('fsync');
        fs.fsyncSync(fd);
      },
      fsync: (fd, done) => later('fsync', done, () => fs.fsync(fd, done)),
      fdatasyncSync: (fd) => {
        check('fdatasync');
        this.syncs++;
        this.onSync();
        fs.fdatasyncSync(fd);
      },
      fdatasync: (fd, done) => {
        const sync = () => later('fdatasync', done, () => fs.fdatasync(fd, done));
        if (this.holdsSyncs) this.heldSyncs.push(sync);
        else sync();
      },
      ftruncateSync: (fd, bytes) => {
        check('truncate');
        fs.ftruncateSync(fd, bytes);
      },
      rename: (from, to, done) => later('rename', done, () => fs.rename(from, to, done)),
      renameSync: (from, to) => {
        check('rename');
        fs.renameSync(from, to);
      },
    };
  }

  fail(...calls: Call[]): void {
    for (const call of calls) this.failing.set(call, 'EIO');
  }

  releaseSyncs(): void {
    this.holdsSyncs = false;
    for (const sync of this.heldSyncs.splice(0)) sync();
  }

  repair(): void {
    this.failing.clear();
  }

  private errorOf(call: Call): NodeJS.ErrnoException | null {
    const code = this.failing.get(call);
    return code === undefined ? null : Object.assign(new Error(`${code}: ${call}`), { code, syscall: call });
  }

  private check(call: Call): void {
    const error = this.errorOf(call);
    if (error !== null) throw error;
  }
}

class Exit extends Error {}

/** Persistence on a failing disk, with a clock that stands still. */
class World {
  readonly faults = new FailingDisk();
  readonly keyspace = new Keyspace(2, { k0: 1, k1: 2 });
  readonly log: string[] = [];
  /** What happened to replies and to the log's file, in order. */
  readonly order: string[] = [];
  nowMs = 1_700_000_000_000;
  /** Stands for the replication offset: one more with every write. */
  offset = 0;
  readonly environment: Environment;
  readonly dumper: Dumper;
  readonly saver: Saver;
  readonly appendLog: AppendLog;

  constructor(directory: string, settings: Record<string, unknown> = {}) {
    const all = createSettings({ currentDirectory: () => directory, changeDirectory: () => undefined });
    for (const [name, value] of Object.entries({ dir: directory, ...settings })) all.put(name as DirectiveName, value);
    this.environment = {
      settings: all,
      keyspace: this.keyspace,
      log: (_level, message) => this.log.push(message),
      now: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      randomBytes: (bytes) => Buffer.alloc(bytes, 7),
      redisVersion: '7.2.4',
      libraries: { all: () => [], load: () => null, clear: () => undefined },
      usedMemory: () => 0,
      replicationAux: () => [],
      replicationOffset: () => this.offset,
      logSynced: () => undefined,
      dropsExpired: () => true,
      watchFields: () => undefined,
      holdReplies: (held) => this.order.push(held ? 'hold' : 'let go'),
      jobStarted: () => undefined,
      exit: (status) => {
        throw new Exit(`exit ${status}`);
      },
      hasExpiringFields: () => false,
      disk: this.faults.disk,
    };
    this.dumper = new Dumper(this.environment);
    this.saver = new Saver(this.environment, this.dumper);
    this.appendLog = new AppendLog(this.environment, this.dumper, () => undefined);
  }

  /** What a SET does: the key, and the command for the log if it is on. */
  set(name: string, value: string): void {
    const key = Buffer.from(name);
    const bytes = Buffer.from(value);
    const db = this.keyspace.databases[0];
    const there = db.findForWrite(key, 0, key.length);
    if (there !== 0) db.delete(there);
    db.open(db.create(key, 0, key.length, Type.string, Encoding.raw, bytes.length));
    bytes.copy(db.vbuf, db.vpos);
    this.keyspace.dirty++;
    if (this.appendLog.active) this.appendLog.write(0, [Buffer.from('SET'), key, bytes]);
    this.offset++;
  }

  /** Lets background work go on until `done`. */
  async until(done: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + WAIT_MS;
    while (!done()) {
      if (performance.now() > deadlineMs) throw new Error(`waited in vain; the log says:\n${this.log.join('\n')}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  startLog(): void {
    this.appendLog.files.read();
    this.appendLog.openAfterLoad();
  }

  /** Values a restart would find, read from the files as they are on the disk now. */
  async reload(directory: string): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    const again = new World(directory, { appendonly: true });
    const loader = again.appendLog.loader({
      enter: () => undefined,
      leave: () => undefined,
      discard: () => undefined,
      run: (buf, pos, len, count) => {
        if (count === 3)
          values.set(buf.toString('latin1', pos[1], pos[1] + len[1]), buf.toString('latin1', pos[2], pos[2] + len[2]));
        return null;
      },
    });
    await loader.run(async () => undefined);
    const db = again.keyspace.databases[0];
    db.table.forEach((entry) => {
      db.open(entry);
      const name = Buffer.from(db.keyBytes(entry)).toString('latin1');
      if (!values.has(name))
        values.set(name, Buffer.from(db.vbuf.subarray(db.vpos, db.vpos + db.vlen)).toString('latin1'));
    });
    return values;
  }
}

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsredis-faults-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('a dump on a disk that fails', () => {
  const dump = () => readFileSync(join(directory, 'dump.rdb'));

  it.each(['open', 'write', 'fsync', 'rename'] as const)('SAVE leaves the old one whole when %s fails', (call) => {
    const world = new World(directory);
    world.set('a', '1');
    expect(world.saver.save()).toBe(true);
    const before = dump();
    world.set('b', '2');
    world.faults.fail(call);
    expect(world.saver.save()).toBe(false);
    expect(dump()).toEqual(before);
    expect(readdirSync(directory)).toEqual(['dump.rdb']);
    expect(world.log.at(-1)).toContain('Input/output error');
    world.faults.repair();
    expect(world.saver.save()).toBe(true);
    expect(dump()).not.toEqual(before);
  });

  it.each(['open', 'write', 'fsync', 'rename'] as const)('BGSAVE does so, too, when %s fails', async (call) => {
    const world = new World(directory);
    world.set('a', '1');
    expect(world.saver.save()).toBe(true);
    const before = dump();
    world.set('b', '2'.repeat(100_000));
    world.faults.fail(call);
    expect(world.saver.start()).toBe(call !== 'open');
    await world.until(() => world.dumper.job === null);
    expect(world.saver.lastOk).toBe(false);
    expect(dump()).toEqual(before);
    expect(readdirSync(directory)).toEqual(['dump.rdb']);
    expect(world.keyspace.dirty).toBe(1);
  });

  it('is tried again a few seconds later while writes are refused, however far the save points are', async () => {
    const world = new World(directory, { save: [{ seconds: 3600, changes: 1000 }] });
    world.set('a', '1');
    world.faults.fail('fsync');
    world.saver.start();
    await world.until(() => !world.saver.lastOk);
    world.nowMs += 2000;
    world.saver.cron(world.nowMs);
    expect(world.dumper.job).toBeNull();
    world.faults.repair();
    world.nowMs += 4000;
    world.saver.cron(world.nowMs);
    await world.until(() => world.saver.lastOk);
    expect(readdirSync(directory)).toEqual(['dump.rdb']);
  });
});

describe('the append-only log on a disk that fails', () => {
  const expected = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`k${i}`, `v${i}`]));

  it('appendfsync always: replies go after one flush for all commands of a turn', async () => {
    const world = new World(directory, { appendonly: true, appendfsync: 'always' });
    world.startLog();
    world.faults.onSync = () => world.order.push('flush');
    for (let i = 0; i < 5; i++) world.set(`k${i}`, `v${i}`);
    await world.until(() => world.order.includes('let go'));
    expect(world.order).toEqual(['hold', 'flush', 'let go']);
    world.faults.onSync = () => undefined;
  });

  it.each(['write', 'fdatasync'] as const)('appendfsync always: the server ends when %s fails', (call) => {
    const world = new World(directory, { appendonly: true, appendfsync: 'always' });
    world.startLog();
    world.set('k0', 'v0');
    world.appendLog.writer.flush(false);
    expect(world.faults.syncs).toBe(1);
    world.faults.fail(call);
    world.set('k1', 'v1');
    expect(() => world.appendLog.writer.flush(false)).toThrow('exit 1');
    expect(world.log.at(-1)).toMatch(/^Can't (recover|persist).*Exiting\.\.\.$/);
    // A process would have ended; here the turn that was planned is still to come.
    world.faults.repair();
  });

  it('everysec: a failed flush is told, tried again, and followed by a rewrite that has everything', async () => {
    const world = new World(directory, { appendonly: true, appendfsync: 'everysec' });
    const { appendLog, faults } = world;
    world.startLog();
    world.set('k0', 'v0');
    faults.fail('fdatasync');
    world.nowMs += 1000;
    appendLog.writer.flush(false);
    await world.until(() => !appendLog.writer.syncInProgress);
    expect(appendLog.writer.failure).toBe('Input/output error');
    world.nowMs += 1000;
    appendLog.writer.tick();
    await world.until(() => !appendLog.writer.syncInProgress);
    expect(appendLog.writer.failure).toBe('Input/output error');
    expect(world.log.filter((line) => line.startsWith('Fail to fsync the AOF file'))).toHaveLength(1);
    faults.repair();
    world.nowMs += 1000;
    appendLog.writer.tick();
    await world.until(() => appendLog.writer.failure === null);
    expect(appendLog.rewriteScheduled).toBe(true);
    // What failed may be missing in the file for good: it does not count as kept.
    expect(appendLog.syncedOffset).toBe(0);
    appendLog.cron(world.nowMs);
    expect(appendLog.rewriting).toBe(true);
    world.set('k1', 'v1');
    await world.until(() => world.dumper.job === null);
    expect(appendLog.syncedOffset).toBeGreaterThanOrEqual(1);
    appendLog.writer.flush(true);
    expect(readdirSync(appendLog.files.directory).sort()).toEqual([
      'appendonly.aof.2.base.rdb',
      'appendonly.aof.2.incr.aof',
      'appendonly.aof.manifest',
    ]);
    expect(await world.reload(directory)).toEqual(expected(2));
  });

  it.each([false, true])(
    'a write cut short leaves no part of a command behind (truncating fails: %s)',
    async (stuck) => {
      const world = new World(directory, { appendonly: true, appendfsync: 'everysec' });
      const { appendLog, faults } = world;
      world.startLog();
      for (let i = 0; i < 3; i++) world.set(`k${i}`, `v${i}`);
      appendLog.writer.flush(false);
      await world.until(() => !appendLog.writer.syncInProgress);
      for (let i = 3; i < 6; i++) world.set(`k${i}`, `v${i}`);
      faults.shortWriteBytes = 40;
      faults.fail('write', ...(stuck ? (['truncate'] as const) : []));
      appendLog.writer.flush(false);
      expect(appendLog.writer.failure).toBe('Input/output error');
      if (!stuck) expect(await world.reload(directory)).toEqual(expected(3));
      faults.repair();
      appendLog.writer.tick();
      expect(appendLog.writer.failure).toBeNull();
      expect(world.log.at(-1)).toBe('AOF write error looks solved, Redis can write again.');
      expect(await world.reload(directory)).toEqual(expected(6));
    },
  );

  it.each(['open', 'write', 'fsync', 'rename'] as const)(
    'a rewrite that fails at %s leaves a log that loads',
    async (call) => {
      const world = new World(directory, { appendonly: true, appendfsync: 'no' });
      const { appendLog, faults } = world;
      world.startLog();
      for (let i = 0; i < 3; i++) world.set(`k${i}`, `v${i}`);
      appendLog.writer.flush(true);
      faults.fail(call);
      appendLog.startRewrite();
      await world.until(() => world.dumper.job === null);
      expect(appendLog.lastRewriteOk).toBe(false);
      faults.repair();
      for (let i = 3; i < 6; i++) world.set(`k${i}`, `v${i}`);
      appendLog.writer.flush(true);
      expect(await world.reload(directory)).toEqual(expected(6));
      expect(appendLog.startRewrite()).toBe(true);
      await world.until(() => world.dumper.job === null);
      expect(appendLog.lastRewriteOk).toBe(true);
      expect(await world.reload(directory)).toEqual(expected(6));
      expect(readdirSync(appendLog.files.directory).filter((name) => name.startsWith('temp-'))).toEqual([]);
    },
  );

  it('does not begin a rewrite while commands wait to be written: the base has them, and they would come twice', () => {
    const world = new World(directory, { appendonly: true, appendfsync: 'no' });
    const { appendLog, faults } = world;
    world.startLog();
    faults.fail('write');
    world.set('k0', 'v0');
    expect(appendLog.startRewrite()).toBe(false);
    expect(world.log.at(-1)).toBe("Can't rewrite the append only file in background: Input/output error");
    appendLog.rewriteScheduled = true;
    appendLog.cron(world.nowMs);
    expect(appendLog.rewriting).toBe(false);
    faults.repair();
    appendLog.cron(world.nowMs);
    expect(appendLog.rewriting).toBe(true);
    appendLog.stopRewrite();
  });

  it('a log whose last file is empty may be cut off in the one before; one with more behind it may not', async () => {
    const world = new World(directory, { appendonly: true, appendfsync: 'everysec' });
    const { appendLog } = world;
    world.startLog();
    world.set('k0', 'v0');
    world.set('k1', 'v1');
    appendLog.writer.flush(true);
    world.environment.settings.put('auto-aof-rewrite-percentage', 0);
    appendLog.startRewrite();
    appendLog.stopRewrite();
    const first = appendLog.files.path('appendonly.aof.1.incr.aof');
    const whole = fs.statSync(first).size;
    fs.truncateSync(first, whole - 3);
    fs.writeFileSync(appendLog.files.path('appendonly.aof.2.incr.aof'), '*1\r\n$4\r\nPING\r\n');
    await expect(world.reload(directory)).rejects.toThrow(
      /tsredis-check-aof.*the truncated file is not the last file/s,
    );
    expect(fs.statSync(first).size).toBe(whole - 3);
    fs.truncateSync(appendLog.files.path('appendonly.aof.2.incr.aof'), 0);
    expect(await world.reload(directory)).toEqual(expected(1));
  });

  it('does not write to a new file before the one it follows is on the disk', async () => {
    const world = new World(directory, { appendonly: true, appendfsync: 'everysec' });
    const { appendLog, faults } = world;
    world.startLog();
    world.set('k0', 'v0');
    appendLog.writer.flush(true);
    await world.until(() => !appendLog.writer.syncInProgress);
    faults.holdsSyncs = true;
    appendLog.startRewrite();
    world.set('k1', 'v1');
    appendLog.writer.flush(false);
    expect(appendLog.writer.size).toBe(0);
    expect(appendLog.syncedOffset).toBe(1);
    faults.releaseSyncs();
    await world.until(() => !appendLog.writer.syncInProgress);
    appendLog.writer.flush(false);
    expect(appendLog.writer.size).toBeGreaterThan(0);
    await world.until(() => world.dumper.job === null);
    expect(await world.reload(directory)).toEqual(expected(2));
  });

  it('a manifest of which the disk takes only a part at first is written whole', async () => {
    const world = new World(directory, { appendonly: true, appendfsync: 'no' });
    world.startLog();
    world.set('k0', 'v0');
    world.appendLog.writer.flush(true);
    world.faults.shortWriteBytes = 10;
    world.appendLog.files.replaceManifest(world.appendLog.files.manifest);
    expect(await world.reload(directory)).toEqual(expected(1));
  });
});
