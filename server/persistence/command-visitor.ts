// Turns what an RDB reader tells of one value into the commands that make it: RPUSH, SADD, ZADD, HMSET, XADD and so on, a
// bounded number of members in each.

import { printf17g } from '../base/numbers.ts';
import type { AofEncoder } from '../formats/aof/encoder.ts';
import { IntsetCursor } from '../formats/rdb/intset.ts';
import { ListpackCursor } from '../formats/rdb/listpack.ts';
import type { Slice } from '../formats/rdb/slice.ts';
import type { RdbBlobKind } from '../formats/rdb/types.ts';
import { type RdbCollection, type RdbStreamGroup, type RdbStreamInfo, SilentVisitor } from '../formats/rdb/visitor.ts';
import { StreamId } from '../values/stream-id.ts';
import { forEachStreamEntry } from './stream-entries.ts';

/** Members in one command, as in Redis. */
const ITEMS_MAX = 64;

const COMMANDS: Readonly<Record<RdbCollection, string>> = { list: 'RPUSH', set: 'SADD', zset: 'ZADD', hash: 'HMSET' };

export class CommandVisitor extends SilentVisitor {
  private readonly encoder: AofEncoder;
  private name: Buffer = Buffer.alloc(0);
  private command = '';
  private args: Buffer[] = [];
  private items = 0;
  private isEmptyStream = true;
  private group: Buffer = Buffer.alloc(0);
  private consumer: Buffer = Buffer.alloc(0);
  private readonly pending = new Map<string, { deliveredAtMs: number; deliveries: number }>();
  private readonly listpack = new ListpackCursor();
  private readonly intset = new IntsetCursor();

  constructor(encoder: AofEncoder) {
    super();
    this.encoder = encoder;
  }

  startKey(key: Buffer): void {
    this.name = key;
    this.args = [];
    this.items = 0;
    this.isEmptyStream = true;
  }

  override string(value: Slice): void {
    this.emit('SET', this.name, copy(value));
  }

  override begin(kind: RdbCollection): void {
    this.command = COMMANDS[kind];
  }

  override element(member: Slice): void {
    this.add(copy(member));
  }

  override scored(member: Slice, score: number): void {
    this.add(Buffer.from(printf17g(score), 'latin1'), copy(member));
  }

  override pair(field: Slice, value: Slice, expireAtMs: number): void {
    const name = copy(field);
    this.add(name, copy(value));
    if (expireAtMs < 0) return;
    this.flush();
    this.emit('HPEXPIREAT', this.name, number(expireAtMs), Buffer.from('FIELDS'), number(1), name);
  }

  override plainNode(value: Slice): void {
    this.add(copy(value));
  }

  override listpackNode(blob: Slice): void {
    const cursor = this.listpack;
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) this.add(copy(cursor.text()));
  }

  override blob(kind: RdbBlobKind, blob: Slice): void {
    const collection = kind.slice(0, kind.indexOf('-')) as RdbCollection;
    const cursor = kind === 'set-intset' ? this.intset : this.listpack;
    this.command = COMMANDS[collection];
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) {
      const first = copy(cursor.text());
      if (collection === 'set' || !cursor.next()) this.add(first);
      else if (collection === 'zset') this.add(copy(cursor.text()), first);
      else this.add(first, copy(cursor.text()));
    }
  }

  override streamNode(id: Slice, listpack: Slice): void {
    this.isEmptyStream = false;
    forEachStreamEntry(id, listpack, (entryId, pairs) => {
      this.emit('XADD', this.name, Buffer.from(entryId, 'latin1'), ...pairs);
    });
  }

  override streamInfo(info: RdbStreamInfo): void {
    const last = `${info.lastMs}-${info.lastSequence}`;
    if (this.isEmptyStream) {
      // A stream without entries comes into being with one that is trimmed at once.
      this.emitText('XADD', this.name, 'MAXLEN', '0', last === '0-0' ? '0-1' : last, 'x', 'y');
    }
    this.emitText(
      'XSETID',
      this.name,
      last,
      'ENTRIESADDED',
      String(info.entriesAdded ?? 0n),
      'MAXDELETEDID',
      `${info.maxDeletedMs ?? 0n}-${info.maxDeletedSequence ?? 0n}`,
    );
  }

  override streamGroup(name: Slice, group: RdbStreamGroup): void {
    this.group = copy(name);
    this.pending.clear();
    const { lastMs, lastSequence, entriesRead } = group;
    const id = `${lastMs}-${lastSequence}`;
    this.emit(
      'XGROUP',
      Buffer.from('CREATE'),
      this.name,
      this.group,
      Buffer.from(id, 'latin1'),
      Buffer.from('ENTRIESREAD'),
      Buffer.from(String(entriesRead ?? -1n), 'latin1'),
    );
  }

  override streamPending(id: Slice, deliveredAtMs: number, deliveries: number): void {
    this.pending.set(copy(id).toString('latin1'), { deliveredAtMs, deliveries });
  }

  override streamConsumer(name: Slice): void {
    this.consumer = copy(name);
    this.emit('XGROUP', Buffer.from('CREATECONSUMER'), this.name, this.group, this.consumer);
  }

  override streamOwned(id: Slice): void {
    const bytes = copy(id);
    const entry = this.pending.get(bytes.toString('latin1'));
    if (entry === undefined) return;
    this.emit(
      'XCLAIM',
      this.name,
      this.group,
      this.consumer,
      number(0),
      Buffer.from(new StreamId().readBytes(bytes, 0).toString(), 'latin1'),
      Buffer.from('TIME'),
      number(entry.deliveredAtMs),
      Buffer.from('RETRYCOUNT'),
      number(entry.deliveries),
      Buffer.from('JUSTID'),
      Buffer.from('FORCE'),
    );
  }

  override keyEnd(): void {
    this.flush();
  }

  private add(...parts: Buffer[]): void {
    this.args.push(...parts);
    if (++this.items === ITEMS_MAX) this.flush();
  }

  private flush(): void {
    if (this.items === 0) return;
    this.emit(this.command, this.name, ...this.args);
    this.args = [];
    this.items = 0;
  }

  private emitText(name: string, key: Buffer, ...words: string[]): void {
    this.emit(name, key, ...words.map((word) => Buffer.from(word, 'latin1')));
  }

  private emit(name: string, ...args: Buffer[]): void {
    const { encoder } = this;
    encoder.command(args.length + 1);
    encoder.text(name);
    for (const arg of args) encoder.argument(arg, 0, arg.length);
  }
}

function copy(slice: Slice): Buffer {
  return Buffer.from(slice.copy());
}

function number(value: number): Buffer {
  return Buffer.from(String(value), 'latin1');
}
