// The one RDB reader: feed it bytes in pieces of any size, it calls a visitor with what they hold. Loading, full sync,
// RESTORE and the checkers all use it; none of them sees the encoding.
//
//   "REDIS" or "VALKEY", version in digits (9 bytes)
//   opcodes and keys: [expiry] [idle] [frequency] [metadata] type key value
//   255, from version 5: 8 bytes CRC64 of all before, little-endian, 0 = not computed

import { ArrayReader } from './arrays.ts';
import { BLOB_MESSAGE, BlobValidator, NAN_SCORE } from './blobs.ts';
import { CollectionReader, type ValueReader } from './collections.ts';
import { DuplicateFinder } from './duplicates.ts';
import type { RdbError } from './errors.ts';
import { HashTemplateReader } from './hash-templates.ts';
import { InlineCommandReader } from './inline-command.ts';
import { ModuleReader, moduleName } from './modules.ts';
import { OpcodeReader } from './opcodes.ts';
import { PathHashReader } from './path-hashes.ts';
import { Slice } from './slice.ts';
import { NEED_MORE, RdbSource, UNEXPECTED_EOF } from './source.ts';
import { StreamReader } from './streams.ts';
import { RDB_OPCODE, RDB_TYPE, RDB_VERSION, type RdbFlavour, type RdbTypeInfo, rdbTypes } from './types.ts';
import type { RdbVisitor } from './visitor.ts';

const HEADER_BYTES = 9;
const CHECKSUM_BYTES = 8;
const MAGIC_REDIS = [0x52, 0x45, 0x44, 0x49, 0x53];
const MAGIC_VALKEY = [0x56, 0x41, 0x4c, 0x4b, 0x45, 0x59];

export type RdbReaderOptions = {
  /** `deep` looks into every packed value and for members that come twice; `shallow` (the default) at their headers. */
  integrity?: 'deep' | 'shallow';
  /** First size of the window; it grows to the longest string, never beyond twice stringBytesMax. Default 256 KiB. */
  windowBytes?: number;
  /** Longest string accepted; default 1 GiB. */
  stringBytesMax?: number;
  /**
   * For callers that need no plain strings (values, list elements): those over this length, and compressed ones of any
   * length, are passed over, and skipped() tells instead. Default: none.
   */
  skipStringsOver?: number;
  /** Newest version of the REDIS format to accept; default the newest known. */
  versionMax?: number;
  /** Whether to compute and compare the checksum; default true. */
  checksum?: boolean;
  /**
   * Asked about damage inside a value whose end is known (a packed value, a member that comes twice). True: go on; the
   * visitor then hears nothing of the damaged packed value, nor (but of a hash with a template) of its key. Default: every
   * damage is thrown.
   */
  recover?: (error: RdbError) => boolean;
  /** Any unpredictable number, for the tables that find duplicates. */
  seed?: number;
};

type State = 'header' | 'opcode' | 'value' | 'slot-import' | 'key-metadata' | 'checksum' | 'done' | 'single-value';

export class RdbReader {
  readonly #source: RdbSource;
  readonly #visitor: RdbVisitor;
  readonly #blobs: BlobValidator;
  readonly #collections: CollectionReader;
  readonly #streams: StreamReader;
  readonly #modules: ModuleReader;
  readonly #templates: HashTemplateReader;
  readonly #arrays: ArrayReader;
  readonly #pathHashes: PathHashReader;
  readonly #commands: InlineCommandReader;
  readonly #opcodes: OpcodeReader;
  readonly #versionMax: number;
  readonly #checksum: boolean;
  readonly #key = new Slice();
  readonly #keyCopy = new Slice();
  readonly #value = new Slice();
  #types: readonly (RdbTypeInfo | undefined)[] = rdbTypes('redis');
  #state: State = 'header';
  /** The state once what is active is read. */
  #after: State = 'opcode';
  /** One value is read, not a file. */
  #single = false;
  #active: ValueReader | null = null;
  #inKey = false;
  #untold = false;
  #version = 0;
  #flavour: RdbFlavour = 'redis';
  #keysRead = 0;
  #keysAtMark = 0;
  #keysReadAtStarving = 0;
  /** What push() was given beyond the end. */
  #surplus: Uint8Array | null = null;

  constructor(visitor: RdbVisitor, options: RdbReaderOptions = {}) {
    const deep = options.integrity === 'deep';
    const seed = options.seed ?? 0;
    this.#visitor = visitor;
    this.#versionMax = options.versionMax ?? RDB_VERSION.newestRedis;
    this.#checksum = options.checksum ?? true;
    this.#source = new RdbSource(
      {
        windowBytes: options.windowBytes ?? 1 << 18,
        stringBytesMax: options.stringBytesMax ?? 1 << 30,
        skipStringsOver: options.skipStringsOver ?? Number.POSITIVE_INFINITY,
      },
      this.#checksum,
    );
    this.#source.recover = options.recover;
    const duplicates = new DuplicateFinder(seed);
    this.#blobs = new BlobValidator(duplicates, deep);
    this.#collections = new CollectionReader(this.#source, visitor, duplicates, this.#blobs, deep);
    this.#streams = new StreamReader(this.#source, visitor, this.#blobs, deep, seed);
    this.#modules = new ModuleReader(this.#source);
    this.#templates = new HashTemplateReader(this.#source, visitor, this.#blobs, deep);
    this.#arrays = new ArrayReader(this.#source, duplicates, deep);
    this.#pathHashes = new PathHashReader(this.#source, duplicates, deep, seed);
    this.#commands = new InlineCommandReader(this.#source, visitor);
    this.#opcodes = new OpcodeReader(this.#source, visitor);
  }

  /** Bytes of the RDB that were read so far. */
  get offset(): number {
    return this.#source.offset;
  }

  /** Keys whose names were read so far, the one that failed included. */
  get keysRead(): number {
    return this.#keysRead;
  }

  /** The last length that was read, with digits that a number doesn't hold: an absurd database number. */
  get lastLength(): bigint {
    return this.#source.lengthExact();
  }

  /** Whether an expiry, idle time, frequency or metadata was read for a key that hasn't come yet. */
  get pendingHints(): boolean {
    return this.#opcodes.hints.pending;
  }

  /** 0 before the header was read. */
  get version(): number {
    return this.#version;
  }

  get flavour(): RdbFlavour {
    return this.#flavour;
  }

  /** Memory to put the next bytes of the file into; report how many with filled(). */
  room(): Uint8Array {
    return this.#source.room();
  }

  filled(count: number): void {
    this.#source.filled(count);
  }

  /** Copies a chunk in and runs; see run(). */
  push(chunk: Uint8Array): 'more' | 'done' {
    let from = 0;
    let state = this.run();
    while (from < chunk.length && state === 'more') {
      const room = this.room();
      const count = Math.min(room.length, chunk.length - from);
      room.set(chunk.subarray(from, from + count));
      this.filled(count);
      from += count;
      state = this.run();
    }
    if (state === 'done' && from < chunk.length) this.#surplus = chunk.subarray(from);
    return state;
  }

  /** What was fed beyond the end of the RDB (a copy): an AOF's commands, or rubbish. */
  rest(): Uint8Array {
    const inside = this.#source.rest();
    return this.#surplus === null ? inside.slice() : Buffer.concat([inside, this.#surplus]);
  }

  /**
   * Reads all complete items in the window. `more`: feed more bytes, or call finish() at the end of the file. `done`: the
   * RDB is complete. Throws RdbError when the bytes are wrong; the reader is then of no further use until reset().
   */
  run(): 'more' | 'done' {
    const source = this.#source;
    try {
      while (this.#state !== 'done') {
        if (source.toSkip > 0 && !source.skip()) return this.#pause();
        this.#step();
        source.mark = source.pos;
        this.#keysAtMark = this.#keysRead;
      }
    } catch (error) {
      if (error !== NEED_MORE) throw error;
      source.pos = source.mark;
      this.#keysReadAtStarving = this.#keysRead;
      this.#keysRead = this.#keysAtMark;
      return this.#pause();
    }
    return 'done';
  }

  #pause(): 'more' {
    this.#source.sum();
    return 'more';
  }

  /** Call at the end of the file: throws RdbError `truncated` unless the RDB was complete. */
  finish(): void {
    if (this.#state === 'done') return;
    const source = this.#source;
    if (source.toSkip === 0) source.pos = Math.max(source.starvedAt, source.mark);
    this.#keysRead = Math.max(this.#keysRead, this.#keysReadAtStarving);
    throw source.fail('truncated', source.starvedMessage || UNEXPECTED_EOF);
  }

  /** An error with the reader's present place, for visitors that find something wrong themselves. */
  describe(message: string): RdbError {
    return this.#source.fail('integrity', message);
  }

  /** Ready for another file, memory kept. */
  reset(): void {
    this.#source.reset();
    this.#begin('header', 'redis');
  }

  /**
   * Reads one value as DUMP writes it, without key: type byte and body in `bytes[start..end)`. The visitor hears value
   * events and keyEnd(). Returns the position after the value; throws RdbError.
   */
  readValue(bytes: Uint8Array, start: number, end: number): number {
    this.#source.attach(bytes, start, end);
    this.#begin('single-value', 'redis');
    if (this.run() === 'more') this.finish();
    return this.#source.pos;
  }

  #begin(state: State, flavour: RdbFlavour): void {
    this.#state = state;
    this.#single = state === 'single-value';
    this.#flavour = flavour;
    this.#types = rdbTypes(flavour);
    this.#templates.clear();
    this.#active = null;
    this.#inKey = this.#untold = false;
    this.#surplus = null;
    this.#version = this.#keysRead = this.#keysAtMark = this.#keysReadAtStarving = 0;
    this.#opcodes.hints.clear();
  }

  #step(): void {
    switch (this.#state) {
      case 'opcode':
        this.#opcode();
        break;
      case 'value':
        if (this.#active?.run() !== false) this.#valueEnd();
        break;
      case 'header':
        this.#header();
        break;
      case 'slot-import':
        if (!this.#opcodes.readSlotRange()) this.#state = 'opcode';
        break;
      case 'key-metadata':
        if (this.#opcodes.readMetadataClass()) this.#passModuleData('key-metadata');
        else this.#state = this.#single ? 'single-value' : 'opcode';
        break;
      case 'checksum':
        this.#verify();
        break;
      case 'single-value':
        this.#singleValue();
        break;
      case 'done':
        break;
    }
  }

  #header(): void {
    const s = this.#source;
    s.raw(this.#value, HEADER_BYTES);
    const b = this.#value.bytes;
    const from = this.#value.start;
    const valkey = MAGIC_VALKEY.every((byte, i) => b[from + i] === byte);
    if (!valkey && !MAGIC_REDIS.every((byte, i) => b[from + i] === byte)) {
      throw s.fail('header', 'Wrong signature trying to load DB from file');
    }
    const digits = Buffer.from(this.#value.copy()).toString('latin1', valkey ? 6 : 5);
    const version = Number.parseInt(digits, 10) || 0;
    const known = valkey ? version >= RDB_VERSION.oldestValkey : version >= 1 && version <= this.#versionMax;
    if (!known) throw s.fail('header', `Can't handle RDB format version ${version}`);
    this.#version = version;
    this.#flavour = valkey ? 'valkey' : 'redis';
    this.#types = rdbTypes(this.#flavour);
    this.#state = 'opcode';
    this.#visitor.header(version, this.#flavour);
  }

  #opcode(): void {
    const s = this.#source;
    // Most keys need no opcode: stay here while they are simple.
    for (;;) {
      s.activity = 'read-type';
      const type = s.u8();
      const info = this.#types[type];
      if (info === undefined) {
        this.#special(type);
        return;
      }
      this.#readKey(type);
      s.activity = 'read-object-value';
      if (info.layout !== 'string' && info.layout !== 'blob') {
        this.#openValue(info);
        return;
      }
      if (this.#simpleValue(info)) {
        // The key is left once the value is behind.
        this.#keepKey();
        this.#inKey = true;
        this.#state = 'value';
        this.#after = 'opcode';
        return;
      }
      this.#leaveKey();
      s.mark = s.pos;
      this.#keysAtMark = this.#keysRead;
    }
  }

  #readKey(type: number): void {
    const s = this.#source;
    s.type = type;
    s.activity = 'read-key';
    s.string(this.#key);
    s.key = this.#key;
    this.#keysRead++;
  }

  /** Tells the visitor of the key; its value's bytes are there. */
  #tellKey(info: RdbTypeInfo): void {
    if (this.#single) return;
    const { hints } = this.#opcodes;
    this.#visitor.key(this.#key, info.number, hints.expireAtMs, hints.idleSeconds, hints.frequency);
  }

  /** Reads key and value in one go; true when the value is to be skipped before anything else is read. */
  #simpleValue(info: RdbTypeInfo): boolean {
    const s = this.#source;
    if (info.blob === undefined) {
      const skipped = s.stringOrSkip(this.#value);
      this.#tellKey(info);
      if (skipped > 0) this.#visitor.skipped(skipped);
      else this.#visitor.string(this.#value);
      return s.toSkip > 0;
    }
    if (info.number === RDB_TYPE.hashListpackExpiry) s.i64le(); // the smallest expiry, which is in the listpack as well
    s.string(this.#value);
    const count = this.#blobs.count(info.blob, this.#value);
    if (count < 0) {
      s.damaged(count === NAN_SCORE ? 'Zset listpack with NAN score detected' : BLOB_MESSAGE[info.blob]);
      this.#untold = true;
      return false;
    }
    this.#tellKey(info);
    if (count === 0) this.#visitor.emptyValue();
    else this.#visitor.blob(info.blob, this.#value, count);
    return false;
  }

  #leaveKey(): void {
    if (!this.#single) this.#source.key = null;
    this.#source.type = -1;
    this.#opcodes.hints.clear();
    if (this.#untold) this.#untold = false;
    else this.#visitor.keyEnd();
  }

  /** The window moves on while the value is read; the key has to stay for errors. */
  #keepKey(): void {
    this.#keyCopy.copyFrom(this.#key);
    this.#source.key = this.#keyCopy;
  }

  #openValue(info: RdbTypeInfo): void {
    this.#active = this.#valueReader(info);
    if (this.#active !== null) this.#keepKey();
    this.#inKey = true;
    this.#state = 'value';
    this.#after = this.#single ? 'done' : 'opcode';
  }

  #valueReader(info: RdbTypeInfo): ValueReader | null {
    switch (info.layout) {
      case 'stream':
        this.#streams.open(info.number);
        this.#tellKey(info);
        return this.#streams;
      case 'module': {
        const name = this.#moduleName();
        this.#modules.open(name);
        this.#tellKey(info);
        this.#visitor.module(name);
        return this.#modules;
      }
      case 'hash-template':
        this.#templates.open(info.number);
        this.#tellKey(info);
        return this.#templates;
      case 'array': {
        const count = this.#arrays.open();
        this.#tellKey(info);
        this.#visitor.foreign('array', count);
        return this.#arrays;
      }
      case 'path-hash': {
        const count = this.#pathHashes.open();
        this.#tellKey(info);
        if (count === 0) this.#visitor.emptyValue();
        else this.#visitor.foreign('path-hash', count);
        return this.#pathHashes;
      }
      case 'unsupported': {
        const name = this.#moduleName();
        const reason = `The RDB file contains module data I can't load: no matching module type '${name}'`;
        throw this.#source.fail('unsupported', reason);
      }
      default: {
        const count = this.#collections.open(info.layout, info.number, this.#flavour);
        this.#tellKey(info);
        if (count === 0) this.#visitor.emptyValue();
        else this.#collections.begin();
        return count === 0 ? null : this.#collections;
      }
    }
  }

  #moduleName(): string {
    const s = this.#source;
    s.starvedMessage = 'Short read module id';
    s.length();
    return moduleName(s.lengthExact());
  }

  #valueEnd(): void {
    this.#active = null;
    if (this.#inKey) this.#leaveKey();
    this.#inKey = false;
    this.#source.starvedMessage = '';
    this.#state = this.#after;
  }

  #singleValue(): void {
    const s = this.#source;
    s.activity = 'read-object-value';
    const type = s.u8();
    s.type = type;
    const info = this.#types[type];
    if (info === undefined) {
      if (type !== RDB_OPCODE.keyMetadata) throw s.fail('type', `Invalid object type: ${type}`);
      this.#opcodes.openMetadata();
      this.#state = 'key-metadata';
      return;
    }
    if (info.layout === 'string' || info.layout === 'blob') {
      this.#simpleValue(info);
      this.#leaveKey();
      this.#state = 'done';
      return;
    }
    this.#openValue(info);
  }

  #special(opcode: number): void {
    const after = this.#opcodes.read(opcode, this.#version, this.#flavour);
    if (after === 'opcode') return;
    if (after === 'module-data') this.#passModuleData('opcode');
    else if (after === 'hash-template') {
      this.#templates.openTemplate();
      this.#pass(this.#templates, 'opcode');
    } else if (after === 'inline-command') {
      this.#commands.open();
      this.#pass(this.#commands, 'opcode');
    } else if (after === 'end') {
      this.#state = this.#version >= RDB_VERSION.checksum ? 'checksum' : 'done';
      if (this.#state === 'done') this.#visitor.end('none');
    } else this.#state = after;
  }

  #passModuleData(after: State): void {
    this.#modules.open(this.#opcodes.module);
    this.#pass(this.#modules, after);
  }

  /** Reads something that is no key's value. */
  #pass(reader: ValueReader, after: State): void {
    this.#active = reader;
    this.#inKey = false;
    this.#state = 'value';
    this.#after = after;
  }

  #verify(): void {
    const s = this.#source;
    s.activity = 'check-sum';
    s.need(CHECKSUM_BYTES);
    const at = s.pos;
    s.leaveOutOfSum(CHECKSUM_BYTES);
    const off = s.buffer.subarray(at, at + CHECKSUM_BYTES).every((byte) => byte === 0);
    s.pos += CHECKSUM_BYTES;
    if (!off && this.#checksum && !s.crc.matches(s.buffer, at)) throw s.fail('checksum', 'RDB CRC error');
    this.#state = 'done';
    this.#visitor.end(off ? 'off' : 'good');
  }
}
