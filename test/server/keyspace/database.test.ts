import { describe, expect, it } from 'vitest';
import { type Database, NO_EXPIRY } from '../../../server/keyspace/database.ts';
import { Keyspace } from '../../../server/keyspace/keyspace.ts';
import { Encoding, Type } from '../../../server/keyspace/layout.ts';
import { Generator } from '../../differential/support/generate.ts';

const seed = { k0: 0x1234567, k1: 0x89abcde };
const bytes = (text: string) => Buffer.from(text, 'latin1');

function put(db: Database, key: string, value: string): number {
  const name = bytes(key);
  const existing = db.findForWrite(name, 0, name.length);
  const entry =
    existing === 0
      ? db.create(name, 0, name.length, Type.string, Encoding.raw, value.length)
      : db.overwrite(existing, Type.string, Encoding.raw, value.length);
  db.open(entry);
  bytes(value).copy(db.vbuf, db.vpos);
  return entry;
}

const find = (db: Database, key: string) => db.find(bytes(key), 0, key.length);

function read(db: Database, key: string): string | undefined {
  const entry = find(db, key);
  if (entry === 0) return undefined;
  db.open(entry);
  return db.vbuf.toString('latin1', db.vpos, db.vpos + db.vlen);
}

/** Text in which no two places look alike for long, so that bytes that were moved wrongly show. */
const TEXT = Array.from({ length: 40_000 }, (_, i) => i.toString(36)).join('');

const KINDS = [
  {
    kind: 'short keys and values',
    steps: 30_000,
    key: (random: Generator) => `key:${random.below(500)}${'x'.repeat(random.below(4) * 9)}`,
    valueBytes: (random: Generator) => random.below(random.pick([4, 60, 700])),
  },
  {
    // 127 and 8191 bytes are the first lengths that have a word of their own.
    kind: 'keys and values about the longest short ones',
    steps: 6000,
    key: (random: Generator) => `${random.below(20)}:`.padEnd(random.pick([3, 125, 126, 127, 128, 129, 1000]), 'x'),
    valueBytes: (random: Generator) => random.pick([0, 1, 30, 8189, 8190, 8191, 8192, 8193, 70_000]),
  },
];

describe('Database', () => {
  it.each(KINDS)('behaves like a map of keys to values and expiries under random changes: $kind', (sizes) => {
    const keyspace = new Keyspace(1, seed);
    const db = keyspace.databases[0];
    const random = new Generator(7);
    const model = new Map<string, { value: string; expireAt: number }>();
    for (let step = 0; step < sizes.steps; step++) {
      const key = sizes.key(random);
      const entry = find(db, key);
      const known = model.get(key);
      switch (random.below(6)) {
        case 0:
        case 1: {
          const from = random.below(1000);
          const value = TEXT.slice(from, from + sizes.valueBytes(random));
          put(db, key, value);
          model.set(key, { value, expireAt: known?.expireAt ?? NO_EXPIRY });
          break;
        }
        case 2:
          if (entry === 0 || known === undefined) break;
          known.expireAt = 1_700_000_000_000 + random.below(1e9) * 1000;
          db.setExpire(entry, known.expireAt);
          break;
        case 3:
          if (entry === 0 || known === undefined) break;
          db.clearExpire(entry);
          known.expireAt = NO_EXPIRY;
          break;
        case 4:
          if (entry !== 0) db.delete(entry);
          model.delete(key);
          break;
        default: {
          if (entry === 0 || known === undefined) break;
          const at = random.below(known.value.length + 1);
          const removed = random.below(known.value.length - at + 1);
          const inserted = random.below(30);
          db.spliceValue(entry, at, removed, inserted);
          db.vbuf.fill('i', db.vpos + at, db.vpos + at + inserted, 'latin1');
          known.value = known.value.slice(0, at) + 'i'.repeat(inserted) + known.value.slice(at + removed);
        }
      }
    }
    expect(db.size).toBe(model.size);
    expect(db.volatileSize).toBe([...model.values()].filter(({ expireAt }) => expireAt !== NO_EXPIRY).length);
    for (const [key, { value, expireAt }] of model) {
      expect(read(db, key) === value).toBe(true);
      expect(db.expireAt(find(db, key))).toBe(expireAt);
    }
    const volatile = new Set(Array.from({ length: db.volatileSize }, (_, i) => db.volatileEntry(i)));
    expect(volatile.size).toBe(db.volatileSize);
    db.clear();
    expect(keyspace.arena.usedBytes).toBe(0);
  });

  it.each([3, 126, 127, 300])('turns inline values of a key of %i bytes into large ones and back', (keyBytes) => {
    const keyspace = new Keyspace(1, seed);
    const db = keyspace.databases[0];
    const key = 'key'.padEnd(keyBytes, '.');
    const freed: string[] = [];
    const large = (name: string) => ({ free: () => void freed.push(name), memoryBytes: () => 0, length: 1 });
    for (const expireAt of [NO_EXPIRY, 1_700_000_000_123]) {
      for (const valueBytes of [0, 5, 8190, 8191, 70_000]) {
        const value = TEXT.slice(0, valueBytes);
        const written = put(db, key, value);
        if (expireAt !== NO_EXPIRY) db.setExpire(written, expireAt);
        const first = large('first');
        const second = large('second');
        db.replaceWithLarge(find(db, key), Encoding.hashtable, first);
        expect(db.large(find(db, key))).toBe(first);
        db.overwriteLarge(find(db, key), Type.set, Encoding.hashtable, second);
        expect(db.large(find(db, key))).toBe(second);
        expect(db.type(find(db, key))).toBe(Type.set);
        db.replaceWithInline(find(db, key), Encoding.listpack, valueBytes);
        bytes(value).copy(db.vbuf, db.vpos);
        expect(read(db, key) === value).toBe(true);
        expect(db.expireAt(find(db, key))).toBe(expireAt);
        expect(db.keyBytes(find(db, key)).toString()).toBe(key);
        expect(freed.splice(0)).toEqual(['first', 'second']);
      }
    }
    db.overwriteLarge(find(db, key), Type.set, Encoding.hashtable, large('kept'));
    db.detachLarge(find(db, key));
    db.createLarge(bytes(key), 0, keyBytes, Type.set, Encoding.hashtable, large('last'));
    db.delete(find(db, key));
    expect(freed).toEqual(['last']);
    expect(db.size + db.volatileSize).toBe(0);
    db.clear();
    expect(keyspace.arena.usedBytes).toBe(0);
  });

  it('visits every key that stays during a scan, while the table grows and shrinks', () => {
    const db = new Keyspace(1, seed).databases[0];
    for (let i = 0; i < 1000; i++) put(db, `stays:${i}`, 'x');
    const seen = new Set<string>();
    let cursor = 0;
    let round = 0;
    do {
      cursor = db.table.scan(cursor, (entry) => {
        seen.add(db.keyBytes(entry).toString());
      });
      for (let i = 0; i < 40 && round < 150; i++) put(db, `comes:${round}:${i}`, 'y');
      if (round >= 150)
        for (let i = 0; i < 40; i++) {
          const entry = find(db, `comes:${round - 150}:${i}`);
          if (entry !== 0) db.delete(entry);
        }
      round++;
    } while (cursor !== 0);
    for (let i = 0; i < 1000; i++) expect(seen.has(`stays:${i}`)).toBe(true);
  });

  it('finds every key while a large table doubles and shrinks', () => {
    const db = new Keyspace(1, seed).databases[0];
    const keys = 300_000;
    for (let i = 0; i < keys; i++) put(db, `key:${i}`, `${i}`);
    for (let i = 0; i < keys; i += 7) expect(read(db, `key:${i}`)).toBe(`${i}`);
    for (let i = 0; i < keys; i++) if (i % 100 !== 0) db.delete(find(db, `key:${i}`));
    expect(db.size).toBe(keys / 100);
    for (let i = 0; i < keys; i += 50) expect(read(db, `key:${i}`)).toBe(i % 100 === 0 ? `${i}` : undefined);
  });

  it('holds times far in the future and the past exactly', () => {
    const db = new Keyspace(1, seed).databases[0];
    for (const atMs of [0, 1, -1, 4294967295, 4294967296, Date.UTC(9999, 11, 31), Number.MAX_SAFE_INTEGER]) {
      const entry = db.setExpire(put(db, 'key', 'value'), atMs);
      expect(db.expireAt(entry)).toBe(atMs);
      expect(read(db, 'key')).toBe('value');
    }
  });

  it('tells a guard of every key before it changes', () => {
    const keyspace = new Keyspace(1, seed);
    const db = keyspace.databases[0];
    put(db, 'a', 'before');
    const heard: (string | undefined)[] = [];
    keyspace.guard = {
      beforeChange: () => heard.push(read(db, 'a')),
      beforeClear: () => heard.push('clear'),
      delays: () => false,
    };
    put(db, 'a', 'after');
    db.delete(find(db, 'a'));
    put(db, 'b', 'x');
    db.clear();
    expect(heard).toEqual(['before', 'after', undefined, 'clear']);
  });
});
