// Takes everything that a dump tells of into the keyspace: databases, keys with expiry and use, libraries.

import type { RdbReader } from '../formats/rdb/reader.ts';
import type { Slice } from '../formats/rdb/slice.ts';
import { RDB_TYPE } from '../formats/rdb/types.ts';
import { lruClock } from '../keyspace/access-clock.ts';
import type { Database } from '../keyspace/database.ts';
import { ValueBuilder } from './decode-value.ts';
import type { Environment } from './environment.ts';

export interface LoadOptions {
  /** The dump is the first part of an append-only file: nothing is dropped, however old. */
  readonly isPreamble: boolean;
  /** A key that is there already is replaced (DEBUG RELOAD MERGE) instead of being an error. */
  readonly replaces: boolean;
  /** Told of each key that is dropped because its time is over. */
  readonly onExpired?: (database: number, key: Buffer) => void;
  /** Where the keys go, by index; default: the server's databases. */
  readonly databases?: readonly Database[];
}

/** Keys skipped because they are empty are named in the log up to this number. */
const EMPTY_NAMES_MAX = 10;
/** Types whose first event may come with a later window than the key. */
const SLOW_TO_BEGIN: ReadonlySet<number> = new Set([
  RDB_TYPE.stream,
  RDB_TYPE.stream2,
  RDB_TYPE.stream3,
  RDB_TYPE.stream4,
  RDB_TYPE.stream5,
  RDB_TYPE.hashTemplateListpack,
  RDB_TYPE.hashTemplateListpackRef,
  RDB_TYPE.hashTemplateArray,
  RDB_TYPE.hashTemplateArrayRef,
]);
/** The most keys that a table is prepared for. */
const KEYS_RESERVED_MAX = 1 << 26;

/** What the operator can do about values of modules. */
const MODULE_ADVICE = " (set 'rdb-module-values skip' to load the rest without them)";

export class LoadVisitor extends ValueBuilder {
  loaded = 0;
  expired = 0;
  emptySkipped = 0;
  /** Keys and facts of modules that were left out, by the module's name. */
  readonly moduleSkipped = new Map<string, number>();
  /** AUX fields by name; replication's place is among them. */
  readonly auxFields = new Map<string, string>();
  /** Set by the owner before reading begins: makes errors that know the place. */
  reader!: RdbReader;
  /** Told after every key. */
  eachKey: (() => void) | null = null;
  private readonly environment: Environment;
  private readonly options: LoadOptions;
  private readonly nowMs: number;
  private readonly usesFrequency: boolean;
  private readonly dropsExpired: boolean;
  private database: Database;
  private readonly databases: readonly Database[];
  private expireAtMs = -1;
  private clock = -1;

  constructor(environment: Environment, options: LoadOptions) {
    super(environment.keyspace, environment.settings, (message) => this.reader.describe(message), environment.now);
    this.environment = environment;
    this.options = options;
    this.nowMs = environment.now();
    this.usesFrequency = environment.settings.maxmemoryPolicy.endsWith('lfu');
    this.dropsExpired = environment.dropsExpired() && !options.isPreamble;
    this.databases = options.databases ?? environment.keyspace.databases;
    this.database = this.databases[0];
    if (this.dropsExpired) this.dropFieldsBeforeMs = this.nowMs;
  }

  override aux(nameSlice: Slice, valueSlice: Slice): void {
    const name = text(nameSlice);
    const value = text(valueSlice);
    const { log } = this.environment;
    this.auxFields.set(name, value);
    if (name === 'redis-ver' || name === 'valkey-ver') log('notice', `Loading RDB produced by version ${value}`);
    else if (name === 'ctime') {
      log('notice', `RDB age ${Math.max(0, Math.floor(this.nowMs / 1000) - Number(value))} seconds`);
    } else if (name === 'used-mem') {
      log('notice', `RDB memory usage when created ${(Number(value) / 2 ** 20).toFixed(2)} Mb`);
    } else if (name === 'aof-base' && value === '1') log('notice', 'RDB is base AOF');
  }

  override selectDb(index: number): void {
    const { databases } = this;
    if (index >= databases.length) {
      throw this.reader.describe(
        `Data file was created with a Redis server configured to handle more than ${databases.length} databases. Exiting`,
      );
    }
    this.database = databases[index];
  }

  override resizeDb(keys: number): void {
    // Hints may lie: what they ask for is bounded, the table grows by itself if there is more.
    this.database.table.reserve(Math.min(keys, KEYS_RESERVED_MAX));
  }

  override functionLibrary(code: Slice): void {
    const problem = this.environment.libraries.load(code.copy());
    if (problem !== null) throw this.reader.describe(`Failed loading library, ${problem}`);
  }

  override moduleAux(module: string): void {
    if (this.skipsModule(module, 'AUX data')) return;
    throw this.reader.describe(
      `The RDB file contains AUX module data I can't load: no matching module '${module}'${MODULE_ADVICE}`,
    );
  }

  override module(module: string): void {
    if (this.skipsModule(module, 'values')) return;
    throw this.reader.describe(
      `The RDB file contains module data I can't load: no matching module type '${module}'${MODULE_ADVICE}`,
    );
  }

  override keyMetadata(module: string): void {
    if (this.skipsModule(module, 'metadata of keys')) return;
    throw this.reader.describe(
      `The RDB file contains metadata of keys I can't load: no matching class '${module}'${MODULE_ADVICE}`,
    );
  }

  override inlineCommand(name: Slice): void {
    throw this.reader.describe(`The RDB carries a command ('${text(name)}') between its keys, which can't be run here`);
  }

  /** Notes what is left out, and says so once for each module. */
  private skipsModule(module: string, what: string): boolean {
    if (this.environment.settings.rdbModuleValues !== 'skip') return false;
    const count = this.moduleSkipped.get(module) ?? 0;
    if (count === 0) {
      const why = 'because rdb-module-values is skip; the next save will be without them';
      this.environment.log('warning', `Leaving out ${what} of module '${module}' in the RDB file, ${why}.`);
    }
    this.moduleSkipped.set(module, count + 1);
    return true;
  }

  override key(key: Slice, type: number, expireAtMs: number, idleSeconds: number, frequency: number): void {
    const db = this.database;
    const { bytes, start } = key;
    const length = key.end - start;
    this.expireAtMs = expireAtMs;
    this.clock = -1;
    this.discarding = expireAtMs !== -1 && this.dropsExpired && expireAtMs < this.nowMs;
    if (this.discarding) {
      this.options.onExpired?.(db.index, Buffer.from(key.copy()));
      return;
    }
    if (this.usesFrequency) {
      if (frequency >= 0) this.clock = ((Math.floor(this.nowMs / 60000) & 0xffff) << 8) | frequency;
    } else if (idleSeconds >= 0) this.clock = (lruClock(this.nowMs) - idleSeconds) & 0xffffff;
    const there = db.find(bytes, start, length);
    if (there !== 0) {
      if (!this.options.replaces) {
        const name = key.copy();
        this.environment.log(
          'warning',
          `RDB has duplicated key '${Buffer.from(name).toString('latin1')}' in DB ${db.index}`,
        );
        throw this.reader.describe('Duplicated key found in RDB file');
      }
      db.findForWrite(bytes, start, length);
      db.delete(there);
    }
    this.startKey(db, bytes, start, length, true);
    if (SLOW_TO_BEGIN.has(type)) this.keepKey();
  }

  /** Says how it went. */
  logTotals(): void {
    const { log } = this.environment;
    this.logLeftOut();
    const skipped = this.emptySkipped > 0 ? `, empty keys skipped: ${this.emptySkipped}` : '';
    log('notice', `Done loading RDB, keys loaded: ${this.loaded}, keys expired: ${this.expired}${skipped}.`);
  }

  /** Says what of the file is not there now. */
  logLeftOut(): void {
    const { log } = this.environment;
    for (const [module, count] of this.moduleSkipped) {
      log('warning', `Left out of the RDB file: ${count} values or facts of module '${module}'.`);
    }
    for (const line of this.leftOut.take()) log('warning', line);
  }

  protected override onEmpty(key: Uint8Array): void {
    if (this.emptySkipped++ < EMPTY_NAMES_MAX) {
      this.environment.log('notice', `Loading RDB, skipping empty key: ${Buffer.from(key).toString('latin1')}`);
    }
  }

  override keyEnd(): void {
    if (this.discarding) this.expired++;
    else this.keep();
    this.eachKey?.();
  }

  private keep(): void {
    super.keyEnd();
    const db = this.database;
    let entry = this.entry;
    if (entry === 0) return;
    this.loaded++;
    if (this.clock >= 0) db.setClock(entry, this.clock);
    if (this.expireAtMs !== -1) entry = db.setExpire(entry, this.expireAtMs);
    if (this.hasExpiringFields) {
      // By key: the databases may take others' places later.
      const place = this.environment.keyspace.databases[db.index];
      this.environment.watchFields(place, db.keyBuffer(entry), db.keyPosition(entry), db.keyLength(entry));
    }
  }
}

function text(slice: Slice): string {
  return Buffer.from(slice.copy()).toString('latin1');
}
