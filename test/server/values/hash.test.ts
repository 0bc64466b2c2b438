// The hash table against a Map, with seeded random operations on fields, values and expiries.

import { describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import { HashTable } from '../../../server/values/hash.ts';

const SEED = { k0: 1, k1: 2 };

interface Cell {
  value: string;
  expireAt: number;
}

function seededRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * bound);
  };
}

function content(table: HashTable): Map<string, Cell> {
  const out = new Map<string, Cell>();
  table.forEach((entry) => {
    table.open(entry);
    out.set(table.buf.toString('latin1', table.fieldPos, table.fieldPos + table.fieldLen), {
      value: table.buf.toString('latin1', table.valuePos, table.valuePos + table.valueLen),
      expireAt: table.expireAt(entry),
    });
  });
  return out;
}

function find(table: HashTable, field: string): number {
  const bytes = Buffer.from(field, 'latin1');
  return table.find(bytes, 0, bytes.length);
}

function set(table: HashTable, field: string, value: string, keepExpiry = false): boolean {
  const bytes = Buffer.from(field + value, 'latin1');
  return table.set(bytes, 0, field.length, bytes, field.length, value.length, keepExpiry);
}

describe('hash table', () => {
  it('does what a Map does, and gives every block back', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = seededRandom(seed);
      const arena = new Arena();
      const table = new HashTable(arena, SEED);
      const model = new Map<string, Cell>();
      for (let step = 0; step < 2000; step++) change(table, model, random);
      expect(table.length).toBe(model.size);
      expect(content(table)).toEqual(model);
      const due = [...model.values()].map((cell) => cell.expireAt).filter((at) => at >= 0);
      expect(table.expiring).toBe(due.length);
      expect(table.nextExpiryMs).toBe(Math.min(...due));
      expect(table.memoryBytes()).toBeGreaterThan(arena.usedBytes);
      table.free();
      expect(arena.usedBytes).toBe(0);
    }
  });

  it('gives expiring fields in the order of their time', () => {
    const random = seededRandom(5);
    const table = new HashTable(new Arena(), SEED);
    const times: number[] = [];
    for (let i = 0; i < 500; i++) {
      set(table, `field${i}`, 'v');
      const at = 1_700_000_000_000 + random(1000);
      table.setExpire(find(table, `field${i}`), at);
      times.push(at);
    }
    times.sort((a, b) => a - b);
    const seen: number[] = [];
    while (table.expiring > 0) {
      seen.push(table.nextExpiryMs);
      table.remove(table.firstExpiring);
    }
    expect(seen).toEqual(times);
    expect(table.length).toBe(0);
  });
});

function change(table: HashTable, model: Map<string, Cell>, random: (bound: number) => number): void {
  const field = `f${random(200)}`;
  const entry = find(table, field);
  expect(entry !== 0).toBe(model.has(field));
  const action = random(6);
  if (action < 3) {
    const value = 'v'.repeat(random(random(4) === 0 ? 3000 : 40));
    const keep = random(2) === 0;
    const old = model.get(field);
    expect(set(table, field, value, keep)).toBe(old === undefined);
    model.set(field, { value, expireAt: keep && old !== undefined ? old.expireAt : -1 });
  } else if (entry === 0) {
    return;
  } else if (action === 3) {
    table.remove(entry);
    model.delete(field);
  } else if (action === 4) {
    const at = random(2) === 0 ? random(1000) : 1_700_000_000_000 + random(1000);
    table.setExpire(entry, at);
    model.get(field)!.expireAt = at;
  } else {
    table.clearExpire(entry);
    model.get(field)!.expireAt = -1;
  }
}
