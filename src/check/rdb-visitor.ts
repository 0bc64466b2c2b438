// Listens to the RDB reader: counts, prints what redis-check-rdb prints on the way, and (if asked) looks for what that
// program doesn't see: keys that come twice, databases out of range, counts that lie, old headers with newer types.

import { DuplicateFinder } from '../../server/formats/rdb/duplicates.ts';
import { ListpackCursor } from '../../server/formats/rdb/listpack.ts';
import type { RdbReader } from '../../server/formats/rdb/reader.ts';
import { Slice } from '../../server/formats/rdb/slice.ts';
import { type RdbBlobKind, type RdbFlavour, rdbTypes } from '../../server/formats/rdb/types.ts';
import { type RdbForeignType, type RdbStreamInfo, SilentVisitor } from '../../server/formats/rdb/visitor.ts';
import type { Findings } from './findings.ts';
import { printable } from './printable.ts';

/** Databases of a server that is configured as it comes. */
const DATABASES_BY_DEFAULT = 16;
const MESSAGE_BYTES_MAX = 1023;
/** Keys whose names are remembered (as hashes of 8 bytes each, twice that in memory) to see whether one comes again. */
const KEYS_REMEMBERED_MAX = 1 << 25;

const FOREIGN: Record<RdbForeignType, string> = {
  array: 'an array of Redis 8.8',
  'path-hash': 'a path hash of Valkey 9.2',
};

export type RdbDatabase = { db: number; keys: number; expires: number; promisedKeys: number; promisedExpires: number };

/** Thrown to stop at a collection without members, as redis-check-rdb does. */
export class EmptyCollection extends Error {}

export type RdbVisitorOptions = {
  nowMs: number;
  seed: number;
  /** One line of redis-check-rdb's output, byte text. */
  say: (line: string) => void;
  /** Where findings go; null: don't look for any, stop at empty collections. */
  findings: Findings | null;
};

export class CheckingVisitor extends SilentVisitor {
  reader: RdbReader | undefined;
  expires = 0;
  expired = 0;
  fieldExpiries = 0;
  checksum: 'good' | 'off' | 'none' = 'none';
  readonly auxFields: Record<string, string> = {};
  readonly databases: RdbDatabase[] = [];
  functions = 0;
  readonly #options: RdbVisitorOptions;
  readonly #listpack = new ListpackCursor();
  readonly #seen = new Map<number, DuplicateFinder>();
  #db: RdbDatabase | undefined;
  #flavour: RdbFlavour = 'redis';
  #version = 0;
  #expireAtMs = -1;
  #type = 0;
  readonly #keysOfType = new Float64Array(256);
  readonly #key = new Slice();
  #inKey = false;
  #streamEntries = 0;
  #newerTypes = new Set<number>();

  constructor(options: RdbVisitorOptions) {
    super();
    this.#options = options;
  }

  override header(version: number, flavour: RdbFlavour): void {
    this.#version = version;
    this.#flavour = flavour;
  }

  override aux(name: Slice, value: Slice): void {
    const key = name.copy();
    const data = value.copy();
    // redis-check-rdb's messages end after 1023 bytes.
    const message = Buffer.concat([Buffer.from('AUX FIELD '), key, Buffer.from(" = '"), data, Buffer.from("'")]);
    this.#say(printable(message.subarray(0, MESSAGE_BYTES_MAX), '\n\t'));
    this.auxFields[toText(printable(key))] = toText(printable(data, '\n\t'));
  }

  override moduleAux(module: string): void {
    this.#say(`MODULE AUX for: ${module}`);
    this.#find('warning', 'module-data', `data of the module ${module}: a server without it refuses the file`);
  }

  override selectDb(db: number): void {
    this.#say(`Selecting DB ID ${this.reader?.lastLength ?? db}`);
    this.#use(db);
    if (db < DATABASES_BY_DEFAULT) return;
    this.#find(
      'error',
      'db-range',
      `needs \`databases ${db + 1}\` or more: a server with fewer exits when it loads this`,
    );
  }

  override resizeDb(keys: number, expires: number): void {
    const db = this.#use(this.#db?.db ?? 0);
    db.promisedKeys = keys;
    db.promisedExpires = expires;
  }

  override functionLibrary(code: Slice): void {
    this.functions++;
    if (this.#options.findings === null) return;
    const first = Buffer.from(code.copy()).toString('latin1').split('\n', 1)[0] ?? '';
    if (/^#!\w+ +name=\w+\s*$/.test(first)) return;
    this.#find(
      'error',
      'function-library',
      'a function library without a valid "#!lua name=…" line: servers refuse it',
    );
  }

  override key(key: Slice, type: number, expireAtMs: number): void {
    this.#expireAtMs = expireAtMs;
    this.#type = type;
    if (this.#options.findings !== null) this.#inspectKey(key, type);
  }

  override module(module: string): void {
    this.#find('warning', 'module-data', `a value of the module ${module}: a server without it refuses the file`);
  }

  override keyMetadata(module: string): void {
    this.#find('warning', 'module-data', `metadata of the module ${module}: a server without it refuses the file`);
  }

  override inlineCommand(name: Slice): void {
    const what = `a command (${toText(printable(name.copy()))}) that was to be run before the rest is read`;
    this.#find('warning', 'inline-command', `${what}: only replicas of Valkey run it`);
  }

  override foreign(type: RdbForeignType): void {
    this.#find('warning', 'foreign-type', `${FOREIGN[type]}: tsredis has no such type and refuses the file`);
  }

  override begin(): void {
    this.#streamEntries = 0;
  }

  override pair(_field: Slice, _value: Slice, expireAtMs: number): void {
    if (expireAtMs !== -1) this.fieldExpiries++;
  }

  override blob(kind: RdbBlobKind, blob: Slice): void {
    if (kind === 'hash-listpack-expiry') this.#countFieldExpiries(blob);
    else if (kind === 'zset-listpack' && this.#options.findings !== null) this.#findDisorder(blob);
  }

  override streamNode(_id: Slice, listpack: Slice): void {
    if (this.#options.findings === null) return;
    this.#listpack.open(listpack.bytes, listpack.start, listpack.end);
    if (this.#listpack.next()) this.#streamEntries += this.#listpack.integer;
  }

  override streamInfo(info: RdbStreamInfo): void {
    if (this.#options.findings !== null && info.length !== this.#streamEntries) {
      const what = `the stream says it has ${info.length} entries and holds ${this.#streamEntries}`;
      this.#find('error', 'stream-length', what);
    }
    this.#streamEntries = 0;
  }

  override emptyValue(): void {
    if (this.#options.findings === null) throw new EmptyCollection();
    this.#find('error', 'empty-collection', 'a collection without members: servers drop the key when they load this');
  }

  override keyEnd(): void {
    this.#inKey = false;
    if (this.#expireAtMs !== -1) {
      this.expires++;
      if (this.#expireAtMs < this.#options.nowMs) this.expired++;
    }
    if (this.#options.findings === null) return;
    const db = this.#use(this.#db?.db ?? 0);
    db.keys++;
    if (this.#expireAtMs !== -1) db.expires++;
    this.#keysOfType[this.#type]!++;
  }

  override end(checksum: 'good' | 'off' | 'none'): void {
    this.checksum = checksum;
    if (checksum === 'good') this.#say('Checksum OK');
    if (checksum === 'off') this.#say('RDB file was saved with checksum disabled: no check performed.');
    if (this.#options.findings !== null) this.#sumUp();
  }

  /** Keys per type, by the name of the type. */
  get types(): Record<string, number> {
    const counts: Record<string, number> = {};
    const types = rdbTypes(this.#flavour);
    this.#keysOfType.forEach((count, type) => {
      if (count > 0) counts[types[type]?.name || `type ${type}`] = count;
    });
    return counts;
  }

  get currentDb(): number {
    return this.#db?.db ?? 0;
  }

  #say(text: string): void {
    this.#options.say(`[offset ${this.reader?.offset ?? 0}] ${text}`);
  }

  #find(severity: 'error' | 'warning', code: string, message: string): void {
    const offset = this.reader?.offset ?? 0;
    const inKey = this.#inKey ? { key: toText(printable(this.#key.copy())) } : {};
    this.#options.findings?.add({ severity, code, message, offset, db: this.currentDb, ...inKey });
  }

  #use(db: number): RdbDatabase {
    if (this.#db?.db === db) return this.#db;
    let found = this.databases.find((known) => known.db === db);
    if (found === undefined) {
      found = { db, keys: 0, expires: 0, promisedKeys: -1, promisedExpires: -1 };
      this.databases.push(found);
    }
    this.#db = found;
    return found;
  }

  #inspectKey(key: Slice, type: number): void {
    this.#key.copyFrom(key);
    this.#inKey = true;
    const since = rdbTypes(this.#flavour)[type]?.since ?? 0;
    if (since > this.#version && !this.#newerTypes.has(type)) {
      this.#newerTypes.add(type);
      const what = `type ${type} came with RDB version ${since}, the header says ${this.#version}`;
      this.#find('warning', 'type-newer-than-header', what);
    }
    if (!this.#seenKeys().add(key))
      this.#find('error', 'duplicate-key', 'the key comes twice: servers abort when they load this');
  }

  #seenKeys(): DuplicateFinder {
    let seen = this.#seen.get(this.currentDb);
    if (seen === undefined) {
      seen = new DuplicateFinder(this.#options.seed + this.currentDb, KEYS_REMEMBERED_MAX);
      this.#seen.set(this.currentDb, seen);
    }
    return seen;
  }

  #countFieldExpiries(blob: Slice): void {
    this.#listpack.open(blob.bytes, blob.start, blob.end);
    for (let at = 0; this.#listpack.next(); at++) {
      if (at % 3 === 2 && this.#listpack.isInteger && this.#listpack.integer > 0) this.fieldExpiries++;
    }
  }

  #findDisorder(blob: Slice): void {
    let last = Number.NEGATIVE_INFINITY;
    this.#listpack.open(blob.bytes, blob.start, blob.end);
    for (let at = 0; this.#listpack.next(); at++) {
      if (at % 2 === 0) continue;
      const score = this.#listpack.score();
      if (score < last) {
        this.#find('error', 'unsorted', 'a sorted set that is not sorted by score: ranges will miss members');
        return;
      }
      last = score;
    }
  }

  #sumUp(): void {
    if (this.reader?.pendingHints) {
      this.#find('warning', 'dangling-expire', 'an expiry, idle time, frequency or metadata at the end, without a key');
    }
    for (const db of this.databases) {
      if (db.promisedKeys < 0 || (db.promisedKeys === db.keys && db.promisedExpires === db.expires)) continue;
      const promised = `${db.promisedKeys} keys and ${db.promisedExpires} expiries`;
      const message = `RESIZEDB promises ${promised}, the file has ${db.keys} and ${db.expires}`;
      this.#options.findings?.add({ severity: 'warning', code: 'resizedb', message, db: db.db });
    }
  }
}

/** Byte text to text of the program. */
function toText(byteText: string): string {
  return Buffer.from(byteText, 'latin1').toString('utf8');
}
