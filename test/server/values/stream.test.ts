import { describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import { Stream, type Trim } from '../../../server/values/stream.ts';
import { StreamCursor } from '../../../server/values/stream-cursor.ts';
import { StreamId } from '../../../server/values/stream-id.ts';
import type { FieldArguments } from '../../../server/values/stream-node.ts';
import { Generator } from '../../differential/support/generate.ts';

type Entry = { id: string; words: string[] };

const MIN = new StreamId();
const MAX = new StreamId().setMax();

function id(text: string): StreamId {
  const [ms, sequence] = text.split('-').map(BigInt);
  return new StreamId().setExact(ms!, sequence ?? 0n);
}

function fields(words: readonly string[]): FieldArguments {
  const parts = words.map((word) => Buffer.from(word, 'latin1'));
  const len = Int32Array.from(parts.map((part) => part.length));
  const pos = new Int32Array(parts.length);
  for (let i = 1; i < parts.length; i++) pos[i] = pos[i - 1]! + len[i - 1]!;
  return { buf: Buffer.concat(parts), pos, len, first: 0, count: parts.length / 2 };
}

function add(stream: Stream, entry: Entry, nodeEntriesMax = 8, nodeBytesMax = 400): void {
  const args = fields(entry.words);
  stream.append(id(entry.id), args, args.buf.length, { nodeBytesMax, nodeEntriesMax });
}

function read(stream: Stream, from: StreamId, to: StreamId, reverse = false): Entry[] {
  const cursor = new StreamCursor().start(stream, from, to, reverse);
  const entries: Entry[] = [];
  while (cursor.next()) {
    const words: string[] = [];
    for (let i = 0; i < cursor.fieldCount; i++) {
      cursor.nextField();
      words.push(cursor.field.copy().toString('latin1'), cursor.value.copy().toString('latin1'));
    }
    entries.push({ id: cursor.id.toString(), words });
  }
  return entries;
}

function trim(options: Partial<Trim>): Trim {
  return { strategy: 'maxlen', maxLength: 0, minId: MIN, approximate: false, limit: 0, ...options };
}

describe('Stream', () => {
  it('holds what a plain list holds under random additions, deletions and trims', () => {
    const g = new Generator(99);
    const arena = new Arena();
    const stream = new Stream(arena);
    let model: Entry[] = [];
    let ms = 1;
    let added = 0;
    for (let step = 0; step < 6000; step++) {
      const kind = g.below(20);
      if (kind < 12) {
        ms += g.below(g.once(10) ? 100_000 : 3);
        const words = g.once(3)
          ? ['a', g.value(), 'b', g.value()]
          : g.several(1, 4, () => [g.value(), g.value()]).flat();
        const entry = { id: `${ms}-${added++}`, words };
        add(stream, entry);
        model.push(entry);
      } else if (kind < 18 && model.length > 0) {
        const victim = g.pick(model);
        expect(stream.delete(id(victim.id))).toBe(true);
        expect(stream.delete(id(victim.id))).toBe(false);
        model = model.filter((entry) => entry !== victim);
        stream.refreshFirstId();
      } else if (kind === 18 && g.once(15) && model.length > 0) {
        const keep = g.below(model.length + 5);
        expect(stream.trim(trim({ maxLength: keep }))).toBe(Math.max(0, model.length - keep));
        model = model.slice(Math.max(0, model.length - keep));
      } else if (kind === 19 && g.once(15) && model.length > 0) {
        const first = g.pick(model);
        const kept = model.slice(model.indexOf(first));
        expect(stream.trim(trim({ strategy: 'minid', minId: id(first.id) }))).toBe(model.length - kept.length);
        model = kept;
      }
      expect(stream.length).toBe(model.length);
      if (step % 200 !== 0) continue;
      expect(read(stream, MIN, MAX)).toEqual(model);
      expect(read(stream, MIN, MAX, true)).toEqual([...model].reverse());
      expect(stream.firstId.toString()).toBe(model[0]?.id ?? '0-0');
      const [from, to] = [g.below(model.length + 1), g.below(model.length + 1)].sort((a, b) => a - b);
      const part = model.slice(from, to);
      if (part.length > 0) expect(read(stream, id(part[0]!.id), id(part.at(-1)!.id))).toEqual(part);
    }
    const copy = stream.copy();
    stream.free();
    expect(read(copy, MIN, MAX)).toEqual(model);
    copy.free();
    expect(arena.usedBytes).toBe(0);
  });

  it('tells its memory as the arena counts it', () => {
    const arena = new Arena();
    const stream = new Stream(arena);
    for (let n = 1; n <= 500; n++) add(stream, { id: `${n}-0`, words: ['field', `value ${n}`] });
    for (let n = 100; n < 300; n++) stream.delete(id(`${n}-0`));
    expect(stream.memoryBytes()).toBe(arena.usedBytes);
  });

  it('keeps ids of the whole 128-bit range apart', () => {
    const stream = new Stream(new Arena());
    const ids = ['1-18446744073709551615', '2-0', '9007199254740993-7', '18446744073709551615-18446744073709551614'];
    for (const text of ids) add(stream, { id: text, words: ['f', text] }, 100, 4096);
    expect(stream.nodes.size).toBe(1);
    expect(read(stream, MIN, MAX).map((entry) => entry.id)).toEqual(ids);
    expect(read(stream, id('2-1'), MAX).map((entry) => entry.id)).toEqual(ids.slice(2));
  });

  it('trims by whole nodes only when that is enough', () => {
    const stream = new Stream(new Arena());
    for (let n = 1; n <= 20; n++) add(stream, { id: `${n}-0`, words: ['f', 'v'] });
    expect(stream.trim(trim({ maxLength: 10, approximate: true }))).toBe(8);
    expect(stream.trim(trim({ maxLength: 0, approximate: true, limit: 8 }))).toBe(8);
    expect(stream.length).toBe(4);
  });

  it('counts deleted entries in nodes of more than 127', () => {
    const stream = new Stream(new Arena());
    for (let n = 1; n <= 300; n++) add(stream, { id: `${n}-0`, words: ['f', String(n)] }, 0, 0);
    expect(stream.nodes.size).toBe(1);
    for (let n = 1; n <= 200; n++) stream.delete(id(`${n}-0`));
    stream.refreshFirstId();
    expect(read(stream, MIN, MAX)).toHaveLength(100);
    expect(stream.firstId.toString()).toBe('201-0');
  });
});

describe('StreamGroup', () => {
  it('knows what is pending for whom', () => {
    const arena = new Arena();
    const stream = new Stream(arena);
    const group = stream.createGroup(Buffer.from('g'), MIN, 0)!;
    expect(stream.createGroup(Buffer.from('g'), MIN, 0)).toBeUndefined();
    const alice = group.createConsumer(Buffer.from('alice'), 5);
    const bob = group.createConsumer(Buffer.from('bob'), 6);
    for (let n = 1; n <= 10; n++) {
      group.addPending(id(`${n}-0`), 1_700_000_000_000 + n, 2 ** 33);
      group.assign(id(`${n}-0`), n % 2 === 0 ? alice : bob);
    }
    group.pending.seek(id('3-0'));
    expect([group.deliveredAtMs, group.deliveries, group.owner]).toEqual([1_700_000_000_003, 2 ** 33, bob]);
    group.assign(id('3-0'), alice);
    expect([alice.pending.size, bob.pending.size]).toEqual([6, 4]);
    expect(group.acknowledge(id('3-0'))).toBe(true);
    expect(group.acknowledge(id('3-0'))).toBe(false);
    group.deleteConsumer(bob);
    expect(group.pending.size).toBe(5);
    expect(group.createConsumer(Buffer.from('carol'), 7).number).toBe(bob.number);
    expect([...group.copy(arena).consumers].map((consumer) => consumer.name.toString())).toEqual(['alice', 'carol']);
  });
});
