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

describe('Database', () => {
  it('behaves like a map of keys to values and expiries under random changes', () => {
    const keyspace = new Keyspace(1, seed);
    const db = keyspace.databases[0];
    const random = new Generator(7);
    const model = new Map<string, { value: string; expireAt: number }>();
    for (let step = 0; step < 30_000; step++) {
      const key = `key:${random.below(500)}${'x'.repeat(random.below(4) * 9)}`;
      const entry = find(db, key);
      const known = model.get(key);
      switch (random.below(6)) {
        case 0:
        case 1: {
          const value = 'v'.repeat(random.below(random.pick([4, 60, 700])));
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
      expect(read(db, key)).toBe(value);
      expect(db.expireAt(find(db, key))).toBe(expireAt);
    }
    const volatile = new Set(Array.from({ length: db.volatileSize }, (_, i) => db.volatileEntry(i)));
    expect(volatile.size).toBe(db.volatileSize);
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
