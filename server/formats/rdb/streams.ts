// Reads streams:
//   count, (string of 16 bytes: first id, string: listpack), length, last id,
//   types 19 and up: first id, largest deleted id, entries added;
//   group count, (name, last id, types 19 and up: entries read,
//     pending count, (16 bytes id, i64 delivery time, deliveries),
//     consumer count, (name, i64 seen, types 21 and up: i64 active, pending count, (16 bytes id)),
//     type 27: count of pending ids that were given back and have no consumer, (16 bytes id)),
//   types 26 and up, against adding the same twice: seconds and number of messages that are remembered,
//     producer count, (name, message count, (name, id)), messages added, duplicates
// Ids outside of nodes and pending lists are two lengths. The messages are redis-check-rdb's, at the same places.

import type { BlobValidator } from './blobs.ts';
import type { ValueReader } from './collections.ts';
import { DuplicateFinder } from './duplicates.ts';
import { Slice } from './slice.ts';
import type { RdbSource } from './source.ts';
import { StreamListpackValidator } from './stream-listpack.ts';
import { RDB_TYPE } from './types.ts';
import type { RdbExact, RdbStreamIdempotency, RdbVisitor } from './visitor.ts';

const ID_BYTES = 16;
const REMEMBERED_SECONDS_MAX = 86400;
const REMEMBERED_ENTRIES_MAX = 10000;

const IDEMPOTENCY_FAILED = 'Stream IDMP entries loading failed.';

type Part =
  | 'nodes'
  | 'info'
  | 'groups'
  | 'pending-count'
  | 'pending'
  | 'consumers'
  | 'owned-count'
  | 'owned'
  | 'unowned-count'
  | 'unowned'
  | 'idempotency'
  | 'producers'
  | 'messages'
  | 'totals';

export class StreamReader implements ValueReader {
  readonly #source: RdbSource;
  readonly #visitor: RdbVisitor;
  readonly #blobs: BlobValidator;
  readonly #deep: boolean;
  readonly #seed: number;
  readonly #listpacks = new StreamListpackValidator();
  readonly #id = new Slice();
  readonly #text = new Slice();
  #type = 0;
  #part: Part = 'nodes';
  #nodesLeft = 0;
  #nodesRead = 0;
  #groupsLeft = 0;
  #pendingLeft = 0;
  #pendingCount = 0;
  #consumersLeft = 0;
  #ownedLeft = 0;
  #ownedCount = 0;
  #unownedLeft = 0;
  #producersLeft = 0;
  #messagesLeft = 0;
  readonly #remembered: RdbStreamIdempotency = {
    durationSeconds: 0,
    entriesMax: 0,
    producers: 0,
    entries: 0,
    added: 0,
    duplicates: 0,
  };
  #finders: Record<'nodes' | 'groups' | 'pending' | 'consumers' | 'owned', DuplicateFinder> | undefined;

  constructor(source: RdbSource, visitor: RdbVisitor, blobs: BlobValidator, deep: boolean, seed: number) {
    this.#source = source;
    this.#visitor = visitor;
    this.#blobs = blobs;
    this.#deep = deep;
    this.#seed = seed;
  }

  open(type: number): void {
    this.#type = type;
    this.#part = 'nodes';
    this.#nodesRead = 0;
    this.#nodesLeft = this.#length('Stream listpacks len loading failed.');
    if (this.#deep) this.#find().nodes.clear(0);
  }

  run(): boolean {
    for (;;) {
      const part = this.#runPart();
      if (part === 'end') return this.#end();
      this.#part = part;
      this.#source.mark = this.#source.pos;
    }
  }

  /** Reads a part; tells which follows. */
  #runPart(): Part | 'end' {
    switch (this.#part) {
      case 'nodes':
        return this.#runNodes();
      case 'info':
        return this.#info();
      case 'groups':
        if (this.#groupsLeft > 0) return this.#group();
        return this.#type >= RDB_TYPE.stream4 ? 'idempotency' : 'end';
      case 'pending-count':
        return this.#pendingHead();
      case 'pending':
        return this.#runPending();
      case 'consumers':
        if (this.#consumersLeft > 0) return this.#consumer();
        return this.#type >= RDB_TYPE.stream5 ? 'unowned-count' : this.#groupEnd();
      case 'owned-count':
        this.#ownedLeft = this.#length('Stream consumer PEL num loading failed.');
        return 'owned';
      case 'owned':
        return this.#runOwned();
      case 'unowned-count':
        this.#unownedLeft = this.#length('Stream NACK zone count loading failed.');
        return 'unowned';
      case 'unowned':
        return this.#runUnowned();
      default:
        return this.#runIdempotency();
    }
  }

  #end(): true {
    this.#source.starvedMessage = '';
    return true;
  }

  #find() {
    const make = () => new DuplicateFinder(this.#seed);
    this.#finders ??= { nodes: make(), groups: make(), pending: make(), consumers: make(), owned: make() };
    return this.#finders;
  }

  #length(message: string): number {
    this.#source.starvedMessage = message;
    return this.#source.length();
  }

  #number(message: string): RdbExact {
    const value = this.#length(message);
    return Number.isSafeInteger(value) ? value : this.#source.lengthExact();
  }

  #runNodes(): Part {
    const s = this.#source;
    while (this.#nodesLeft > 0) {
      s.starvedMessage = 'Stream master ID loading failed: invalid encoding or I/O error.';
      s.string(this.#id);
      if (this.#id.length !== ID_BYTES) this.#source.damaged('Stream node key entry is not the size of a stream ID');
      s.starvedMessage = 'Stream listpacks loading failed.';
      s.string(this.#text);
      this.#checkNode();
      this.#visitor.streamNode(this.#id, this.#text);
      this.#nodesLeft--;
      this.#nodesRead++;
      s.mark = s.pos;
    }
    return 'info';
  }

  #checkNode(): void {
    const count = this.#blobs.listpack(this.#text);
    if (count < 0 || (this.#deep && count > 0 && !this.#listpacks.isSound(this.#text))) {
      this.#source.damaged('Stream listpack integrity check failed.');
      return;
    }
    if (count === 0) this.#source.damaged('Empty listpack inside stream');
    if (this.#deep && !this.#find().nodes.add(this.#id)) this.#source.damaged('Listpack re-added with existing key');
  }

  #info(): Part {
    const failed = 'Stream object metadata loading failed.';
    const modern = this.#type !== RDB_TYPE.stream;
    const length = this.#length(failed);
    const lastMs = this.#number(failed);
    const lastSequence = this.#number(failed);
    const firstMs = modern ? this.#number(failed) : null;
    const firstSequence = modern ? this.#number(failed) : null;
    const maxDeletedMs = modern ? this.#number(failed) : null;
    const maxDeletedSequence = modern ? this.#number(failed) : null;
    const entriesAdded = modern ? this.#number(failed) : null;
    if (length > 0 && this.#nodesRead === 0) this.#source.damaged('Stream length inconsistent with rax entries');
    this.#groupsLeft = this.#length('Stream cgroup count loading failed.');
    if (this.#deep) this.#find().groups.clear(0);
    this.#visitor.streamInfo({
      length,
      lastMs,
      lastSequence,
      firstMs,
      firstSequence,
      maxDeletedMs,
      maxDeletedSequence,
      entriesAdded,
    });
    return 'groups';
  }

  #group(): Part {
    const s = this.#source;
    s.starvedMessage = 'Error reading the consumer group name from Stream';
    s.string(this.#text);
    const lastMs = this.#number('Stream cgroup ID loading failed.');
    const lastSequence = this.#number('Stream cgroup ID loading failed.');
    let entriesRead: bigint | null = null;
    if (this.#type !== RDB_TYPE.stream) {
      entriesRead = BigInt.asIntN(64, BigInt(this.#number('Stream cgroup offset loading failed.')));
    }
    if (this.#deep && !this.#find().groups.add(this.#text)) {
      this.#source.damaged(`Duplicated consumer group name ${Buffer.from(this.#text.copy()).toString('latin1')}`);
    }
    this.#visitor.streamGroup(this.#text, { lastMs, lastSequence, entriesRead });
    this.#groupsLeft--;
    return 'pending-count';
  }

  #pendingHead(): Part {
    this.#pendingLeft = this.#length('Stream PEL size loading failed.');
    this.#pendingCount = 0;
    this.#ownedCount = 0;
    if (this.#deep) {
      this.#find().pending.clear(this.#pendingLeft);
      this.#find().owned.clear(this.#pendingLeft);
      this.#find().consumers.clear(0);
    }
    return 'pending';
  }

  #runPending(): Part {
    const s = this.#source;
    while (this.#pendingLeft > 0) {
      s.starvedMessage = 'Stream PEL ID loading failed.';
      s.raw(this.#id, ID_BYTES);
      s.starvedMessage = 'Stream PEL NACK loading failed.';
      const deliveredAtMs = s.i64le();
      const deliveries = s.length();
      if (this.#deep && !this.#find().pending.add(this.#id)) {
        this.#source.damaged('Duplicated global PEL entry loading stream consumer group');
      }
      this.#visitor.streamPending(this.#id, deliveredAtMs, deliveries);
      this.#pendingLeft--;
      this.#pendingCount++;
      s.mark = s.pos;
    }
    this.#consumersLeft = this.#length('Stream consumers num loading failed.');
    return 'consumers';
  }

  #consumer(): Part {
    const s = this.#source;
    s.starvedMessage = 'Error reading the consumer name from Stream group.';
    s.string(this.#text);
    s.starvedMessage = 'Stream short read reading seen time.';
    const seenAtMs = s.i64le();
    let activeAtMs = -1;
    if (this.#type >= RDB_TYPE.stream3) {
      s.starvedMessage = 'Stream short read reading active time.';
      activeAtMs = s.i64le();
    }
    if (this.#deep && !this.#find().consumers.add(this.#text)) {
      this.#source.damaged('Duplicate stream consumer detected.');
    }
    this.#visitor.streamConsumer(this.#text, seenAtMs, activeAtMs);
    this.#consumersLeft--;
    return 'owned-count';
  }

  #runOwned(): Part {
    const s = this.#source;
    while (this.#ownedLeft > 0) {
      s.starvedMessage = 'Stream short read reading PEL streamID.';
      s.raw(this.#id, ID_BYTES);
      if (this.#deep && !this.#find().pending.has(this.#id)) {
        this.#source.damaged('Consumer entry not found in group global PEL');
      }
      if (this.#deep && !this.#find().owned.add(this.#id)) {
        this.#source.damaged('Stream consumer PEL entry already has a consumer assigned');
      }
      this.#visitor.streamOwned(this.#id);
      this.#ownedLeft--;
      this.#ownedCount++;
      s.mark = s.pos;
    }
    return 'consumers';
  }

  #runUnowned(): Part {
    const s = this.#source;
    while (this.#unownedLeft > 0) {
      s.starvedMessage = 'Stream NACK zone entry ID loading failed.';
      s.raw(this.#id, ID_BYTES);
      if (this.#deep && !this.#find().pending.has(this.#id)) {
        s.damaged('Stream NACK zone entry not found in group global PEL');
      }
      if (this.#deep && !this.#find().owned.add(this.#id)) {
        s.damaged('Stream NACK zone entry has a consumer assigned');
      }
      this.#visitor.streamUnowned(this.#id);
      this.#unownedLeft--;
      this.#ownedCount++;
      s.mark = s.pos;
    }
    return this.#groupEnd();
  }

  #groupEnd(): Part {
    if (this.#deep && this.#ownedCount !== this.#pendingCount) {
      const zone = this.#type >= RDB_TYPE.stream5 ? ' outside NACK zone' : '';
      this.#source.damaged(`Stream CG PEL entry without consumer${zone}`);
    }
    return 'groups';
  }

  #runIdempotency(): Part | 'end' {
    switch (this.#part) {
      case 'idempotency':
        return this.#idempotencyHead();
      case 'producers':
        return this.#producersLeft > 0 ? this.#producer() : 'totals';
      case 'messages':
        return this.#runMessages();
      default:
        return this.#totals();
    }
  }

  #idempotencyHead(): Part {
    const state = this.#remembered;
    state.durationSeconds = this.#length('Stream IDMP duration loading failed.');
    state.entriesMax = this.#length('Stream IDMP max entries loading failed.');
    state.producers = this.#producersLeft = this.#length(IDEMPOTENCY_FAILED);
    state.entries = 0;
    if (this.#deep && (state.durationSeconds < 1 || state.durationSeconds > REMEMBERED_SECONDS_MAX)) {
      this.#source.damaged('Stream IDMP duration out of range');
    }
    if (this.#deep && (state.entriesMax < 1 || state.entriesMax > REMEMBERED_ENTRIES_MAX)) {
      this.#source.damaged('Stream IDMP max entries out of range');
    }
    return 'producers';
  }

  #producer(): Part {
    this.#source.starvedMessage = IDEMPOTENCY_FAILED;
    this.#source.string(this.#text);
    this.#messagesLeft = this.#length(IDEMPOTENCY_FAILED);
    this.#producersLeft--;
    return 'messages';
  }

  #runMessages(): Part {
    const s = this.#source;
    while (this.#messagesLeft > 0) {
      s.starvedMessage = IDEMPOTENCY_FAILED;
      s.string(this.#text);
      s.length();
      s.length();
      this.#messagesLeft--;
      this.#remembered.entries++;
      s.mark = s.pos;
    }
    return 'producers';
  }

  #totals(): 'end' {
    const state = this.#remembered;
    state.added = this.#length('Stream iids_added loading failed.');
    state.duplicates = this.#length('Stream iids_duplicates loading failed.');
    this.#visitor.streamIdempotency(state);
    return 'end';
  }
}
