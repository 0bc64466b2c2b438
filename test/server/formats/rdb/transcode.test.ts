// Reads a dump and writes what was told: equal bytes prove both halves of the codec against redis-server's.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RdbReader } from '../../../../server/formats/rdb/reader.ts';
import type { Slice } from '../../../../server/formats/rdb/slice.ts';
import { RDB_TYPE } from '../../../../server/formats/rdb/types.ts';
import {
  type RdbCollection,
  type RdbStreamGroup,
  type RdbStreamInfo,
  SilentVisitor,
} from '../../../../server/formats/rdb/visitor.ts';
import { RdbWriter } from '../../../../server/formats/rdb/writer.ts';
import { readFixture } from './fixtures.ts';

/** Writes each event as it comes; counts that are told after their members, at the end of these. */
class Transcoder extends SilentVisitor {
  readonly chunks: Uint8Array[] = [];
  readonly writer = new RdbWriter((chunk) => this.chunks.push(chunk), { chunkBytes: 1000 });
  #type = 0;
  #events: (() => void)[] = [];
  #counted = 0;

  #write(slice: Slice): void {
    this.writer.string(slice.bytes, slice.start, slice.end);
  }

  /** Puts off writing until the number of such events is known. */
  #later(event: () => void): void {
    this.#counted++;
    this.#events.push(event);
  }

  #flush(): void {
    this.writer.length(this.#counted);
    this.#counted = 0;
    for (const event of this.#events.splice(0)) event();
  }

  override header(version: number): void {
    this.writer.header(version);
  }
  override aux(name: Slice, value: Slice): void {
    const text = (slice: Slice) => Buffer.from(slice.copy()).toString('latin1');
    this.writer.aux(text(name), text(value));
  }
  override selectDb(db: number): void {
    this.writer.selectDb(db);
  }
  override resizeDb(keys: number, expires: number): void {
    this.writer.resizeDb(keys, expires);
  }
  override functionLibrary(code: Slice): void {
    this.writer.functionLibrary(code.copy());
  }
  override key(key: Slice, type: number, expireAtMs: number, idle: number, frequency: number): void {
    this.#type = type;
    if (expireAtMs !== -1) this.writer.expireMs(expireAtMs);
    if (idle !== -1) this.writer.idle(idle);
    if (frequency !== -1) this.writer.frequency(frequency);
    this.writer.type(type);
    this.#write(key);
  }
  override string(value: Slice): void {
    this.#write(value);
  }
  override begin(_kind: RdbCollection, count: number): void {
    this.writer.length(count);
  }
  override element(member: Slice): void {
    this.#write(member);
  }
  override scored(member: Slice, score: number): void {
    this.#write(member);
    this.writer.binaryDouble(score);
  }
  override pair(field: Slice, value: Slice): void {
    this.#write(field);
    this.#write(value);
  }
  override blob(_kind: string, blob: Slice): void {
    this.#write(blob);
  }
  override plainNode(value: Slice): void {
    this.writer.length(1);
    this.#write(value);
  }
  override listpackNode(blob: Slice): void {
    this.writer.length(2);
    this.#write(blob);
  }
  override streamNode(id: Slice, listpack: Slice): void {
    const [a, b] = [id.copy(), listpack.copy()];
    this.#later(() => {
      this.writer.string(a, 0, a.length);
      this.writer.string(b, 0, b.length);
    });
  }
  override streamInfo(info: RdbStreamInfo): void {
    this.#flush();
    this.writer.length(info.length);
    const { lastMs, lastSequence, firstMs, firstSequence, maxDeletedMs, maxDeletedSequence, entriesAdded } = info;
    for (const id of [lastMs, lastSequence, firstMs, firstSequence, maxDeletedMs, maxDeletedSequence, entriesAdded]) {
      if (id !== null) this.writer.length64(BigInt(id));
    }
    this.#groups = [];
  }

  // Groups and consumers nest, so their parts are collected and written with the key's end.
  #groups: {
    name: Uint8Array;
    group: RdbStreamGroup;
    pending: { id: Uint8Array; at: number; count: number }[];
    consumers: { name: Uint8Array; seen: number; owned: Uint8Array[] }[];
  }[] = [];

  override streamGroup(name: Slice, group: RdbStreamGroup): void {
    this.#groups.push({ name: name.copy(), group, pending: [], consumers: [] });
  }
  override streamPending(id: Slice, at: number, count: number): void {
    this.#groups.at(-1)?.pending.push({ id: id.copy(), at, count });
  }
  override streamConsumer(name: Slice, seen: number): void {
    this.#groups.at(-1)?.consumers.push({ name: name.copy(), seen, owned: [] });
  }
  override streamOwned(id: Slice): void {
    this.#groups.at(-1)?.consumers.at(-1)?.owned.push(id.copy());
  }
  override keyEnd(): void {
    if (this.#type !== RDB_TYPE.stream2) return;
    const { writer } = this;
    const text = (bytes: Uint8Array) => writer.string(bytes, 0, bytes.length);
    writer.length(this.#groups.length);
    for (const { name, group, pending, consumers } of this.#groups) {
      text(name);
      writer.length64(BigInt(group.lastMs));
      writer.length64(BigInt(group.lastSequence));
      if (group.entriesRead !== null) writer.length64(BigInt.asUintN(64, group.entriesRead));
      writer.length(pending.length);
      for (const { id, at, count } of pending) {
        writer.raw(id, 0, 16);
        writer.int64(at);
        writer.length(count);
      }
      writer.length(consumers.length);
      for (const consumer of consumers) {
        text(consumer.name);
        writer.int64(consumer.seen);
        writer.length(consumer.owned.length);
        for (const id of consumer.owned) writer.raw(id, 0, 16);
      }
    }
  }
  override end(): void {
    this.writer.eof();
  }
}

function transcode(bytes: Uint8Array): Buffer {
  const transcoder = new Transcoder();
  const reader = new RdbReader(transcoder, { integrity: 'deep' });
  if (reader.push(bytes) === 'more') reader.finish();
  return Buffer.concat(transcoder.chunks);
}

describe('reader and writer together', () => {
  it('give back every byte of a dump of all types by redis-server 7.0.15', () => {
    const bytes = readFileSync(new URL('../../../fixtures/rdb-types-redis-7.0.15.rdb', import.meta.url));
    expect(transcode(bytes).equals(bytes)).toBe(true);
  });

  it.each(['valkey/zset-ziplist.rdb', 'valkey/hash-ziplist.rdb', 'librdb/single_key.rdb', 'librdb/set_lp_v11.rdb'])(
    'give back every byte of %s',
    (file) => {
      const bytes = readFixture(file);
      expect(transcode(bytes).toString('hex')).toBe(bytes.toString('hex'));
    },
  );
});
