// A snapshot must hold the data of the moment it began, whatever is changed while it is written.

import { describe, expect, it } from 'vitest';
import { RdbReader } from '../../../server/formats/rdb/reader.ts';
import type { Slice } from '../../../server/formats/rdb/slice.ts';
import { SilentVisitor } from '../../../server/formats/rdb/visitor.ts';
import { RdbWriter } from '../../../server/formats/rdb/writer.ts';
import type { Database } from '../../../server/keyspace/database.ts';
import { Keyspace } from '../../../server/keyspace/keyspace.ts';
import { Encoding, Type } from '../../../server/keyspace/layout.ts';
import { CommandDump } from '../../../server/persistence/command-dump.ts';
import { type DumpTarget, DumpWriter } from '../../../server/persistence/dump-writer.ts';
import { Snapshot } from '../../../server/persistence/snapshot.ts';
import { HashTable } from '../../../server/values/hash.ts';
import { Generator } from '../../differential/support/generate.ts';

const FACTS = { version: 10, aux: [], libraries: [], hints: 'none', nowMs: 0, decayMinutes: 1 } as const;

/** Collects `db key` -> value as text. */
class Collector extends SilentVisitor {
  readonly values = new Map<string, string>();
  private db = 0;
  private name = '';
  private fields: string[] = [];

  override selectDb(db: number): void {
    this.db = db;
  }

  override key(key: Slice, _type: number, expireAtMs: number): void {
    this.name = `${this.db} ${Buffer.from(key.copy()).toString()} ${expireAtMs}`;
    expect(this.values.has(this.name)).toBe(false);
    this.fields = [];
  }

  override string(value: Slice): void {
    this.fields.push(Buffer.from(value.copy()).toString());
  }

  override pair(field: Slice, value: Slice): void {
    this.fields.push(`${Buffer.from(field.copy())}=${Buffer.from(value.copy())}`);
  }

  override keyEnd(): void {
    this.values.set(this.name, this.fields.sort().join(','));
  }
}

function read(chunks: readonly Uint8Array[]): Map<string, string> {
  const collector = new Collector();
  const reader = new RdbReader(collector);
  expect(reader.push(Buffer.concat(chunks))).toBe('done');
  return collector.values;
}

function begin(keyspace: Keyspace, sink: Uint8Array[]): Snapshot {
  const writer = new RdbWriter((chunk) => sink.push(chunk));
  return new Snapshot(keyspace, new DumpWriter(writer, FACTS), () => performance.now());
}

/** The whole data set at once. */
function contents(keyspace: Keyspace): Map<string, string> {
  const chunks: Uint8Array[] = [];
  const snapshot = begin(keyspace, chunks);
  while (!snapshot.slice(1000));
  return read(chunks);
}

class Data {
  readonly keyspace = new Keyspace(4, { k0: 1, k1: 2 });
  readonly g: Generator;

  constructor(seed: number) {
    this.g = new Generator(seed);
  }

  set(db: Database, name: string, value: string): void {
    const key = Buffer.from(name);
    const existing = db.findForWrite(key, 0, key.length);
    const bytes = Buffer.from(value);
    const entry =
      existing === 0
        ? db.createFound(key, 0, key.length, Type.string, Encoding.raw, bytes.length)
        : db.overwrite(existing, Type.string, Encoding.raw, bytes.length);
    db.open(entry);
    bytes.copy(db.vbuf, db.vpos);
  }

  setField(db: Database, name: string, field: string, value: string): void {
    const key = Buffer.from(name);
    let entry = db.findForWrite(key, 0, key.length);
    if (entry !== 0 && db.type(entry) !== Type.hash) return;
    if (entry === 0) {
      const table = new HashTable(this.keyspace.arena, this.keyspace.seed);
      entry = db.createLarge(key, 0, key.length, Type.hash, Encoding.hashtable, table);
    }
    const [f, v] = [Buffer.from(field), Buffer.from(value)];
    (db.large(entry) as HashTable).set(f, 0, f.length, v, 0, v.length);
  }

  delete(db: Database, name: string): void {
    const key = Buffer.from(name);
    const entry = db.findForWrite(key, 0, key.length);
    if (entry !== 0) db.delete(entry);
  }

  fill(keys: number): void {
    const { g, keyspace } = this;
    for (let i = 0; i < keys; i++) {
      const db = keyspace.databases[g.below(3)];
      if (g.once(10))
        for (let n = g.below(2500); n > 0; n--) this.setField(db, `h${i}`, `field${n}`, `v${g.below(99)}`);
      else this.set(db, `k${i}`, g.value());
    }
  }

  /** One change of any kind. */
  change(keys: number): void {
    const { g, keyspace } = this;
    const db = keyspace.databases[g.below(4)];
    const name = `${g.once(6) ? 'h' : 'k'}${g.below(keys * 2)}`;
    const kind = g.below(200);
    if (kind < 90) this.set(db, name, `new${g.value()}`);
    else if (kind < 130) this.delete(db, name);
    else if (kind < 170) this.setField(db, name, `field${g.below(3000)}`, 'changed');
    else if (kind < 190) {
      const key = Buffer.from(name);
      const entry = db.findForWrite(key, 0, key.length);
      if (entry !== 0) db.setExpire(entry, 1e12);
    } else if (kind < 198) keyspace.swap(g.below(4), g.below(4));
    else if (kind === 198) db.clear();
    else keyspace.clearAll();
  }
}

describe('a snapshot', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('holds the data of its beginning under changes of every kind (seed %i)', (seed) => {
    const data = new Data(seed);
    data.fill(150);
    const before = contents(data.keyspace);
    expect(before.size).toBeGreaterThan(100);
    const chunks: Uint8Array[] = [];
    const snapshot = begin(data.keyspace, chunks);
    while (!snapshot.slice(0, 1)) {
      for (let n = data.g.below(5); n > 0; n--) data.change(150);
    }
    expect(read(chunks)).toEqual(before);
    expect(data.keyspace.guard).toBe(null);
  });

  it.each([1, 2, 3, 4])('writes large values in pieces while their changes wait (seed %i)', (seed) => {
    const data = new Data(seed);
    const { g, keyspace } = data;
    for (let i = 0; i < 100; i++) data.set(keyspace.databases[i % 3], `k${i}`, g.value());
    const large = [0, 1, 2].map((i) => ({ db: keyspace.databases[i], name: `large${i}` }));
    for (const { db, name } of large) for (let n = 0; n < 6000; n++) data.setField(db, name, `field${n}`, 'before');
    const before = contents(keyspace);
    const chunks: Uint8Array[] = [];
    const snapshot = begin(keyspace, chunks);
    const waiting: (typeof large)[number][] = [];
    let waits = 0;
    const delays = ({ db, name }: (typeof large)[number]) => {
      const key = Buffer.from(name);
      return snapshot.delays(db, keyspace.hash(key, 0, key.length));
    };
    const change = (one: (typeof large)[number]) => {
      if (delays(one)) {
        waits++;
        waiting.push(one);
      } else if (g.once(3)) data.delete(one.db, one.name);
      else data.setField(one.db, one.name, `field${g.below(7000)}`, 'after');
    };
    while (!snapshot.slice(0, 1)) {
      if (g.once(5)) change(large[g.below(3)]);
      else {
        // A small value in the same bucket has to wait as well.
        const small = { db: keyspace.databases[g.below(3)], name: `k${g.below(60)}` };
        if (!delays(small)) data.set(small.db, small.name, `new${g.value()}`);
      }
      if (!snapshot.written) continue;
      snapshot.written = false;
      for (const one of waiting.splice(0)) change(one);
    }
    expect(read(chunks)).toEqual(before);
    expect(waits).toBeGreaterThan(0);
    // No large value was written in one go.
    expect(snapshot.aheadBytes).toBeLessThan(100_000);
    expect(waiting.length === 0 || snapshot.written).toBe(true);
  });

  it('lets the tables grow again when it is stopped', () => {
    const data = new Data(9);
    data.fill(50);
    const snapshot = begin(data.keyspace, []);
    snapshot.slice(0, 10);
    snapshot.abort();
    expect(data.keyspace.guard).toBe(null);
    const buckets = data.keyspace.databases[0].table.buckets;
    for (let i = 0; i < 1000; i++) data.set(data.keyspace.databases[0], `more${i}`, 'v');
    expect(data.keyspace.databases[0].table.buckets).toBeGreaterThan(buckets);
  });

  it('can be written as commands', () => {
    const data = new Data(10);
    data.set(data.keyspace.databases[0], 'a', '1');
    data.setField(data.keyspace.databases[2], 'h', 'f', 'v');
    const chunks: Uint8Array[] = [];
    const target: DumpTarget = new CommandDump((chunk) => chunks.push(chunk), [], null);
    const snapshot = new Snapshot(data.keyspace, target, () => performance.now());
    data.set(data.keyspace.databases[0], 'a', '2');
    while (!snapshot.slice(1000));
    expect(Buffer.concat(chunks).toString()).toBe(
      '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n' +
        '*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n*4\r\n$5\r\nHMSET\r\n$1\r\nh\r\n$1\r\nf\r\n$1\r\nv\r\n',
    );
  });
});
