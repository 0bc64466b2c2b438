// Values as bytes: DUMP, RESTORE, COPY.

import { copyRange } from '../base/bytes.ts';
import { dumpBodyEnd } from '../formats/rdb/dump.ts';
import { RdbError } from '../formats/rdb/errors.ts';
import { RdbReader } from '../formats/rdb/reader.ts';
import { RDB_VERSION } from '../formats/rdb/types.ts';
import { RdbWriter } from '../formats/rdb/writer.ts';
import { Database, NO_EXPIRY } from '../keyspace/database.ts';
import { isInline, Type } from '../keyspace/layout.ts';
import type { EncodingLimits } from './collection-builder.ts';
import { ValueBuilder } from './decode-value.ts';
import { addDigest, DIGEST_BYTES, DigestVisitor, mixDigest } from './digest.ts';
import { encodeValue, FIELD_EXPIRY_SINCE, rdbTypeOf, versionNeeded } from './encode-value.ts';
import type { Environment } from './environment.ts';

/** Version of payloads that need no higher one: Redis 7.0's. */
const VERSION = 10;
/** Inside the server every form there is may be used. */
const VERSION_WITH_EVERYTHING = 12;

/** How a value is read: checked as RESTORE's payloads are, or one of our own, which keeps its large form (COPY). */
type Reading = 'shallow' | 'deep' | 'copy';

interface ValueReading {
  readonly reader: RdbReader;
  readonly builder: ValueBuilder;
}

export class Values {
  /** Whether RESTORE verifies checksums: DEBUG SET-SKIP-CHECKSUM-VALIDATION turns it off. */
  checksums = true;
  private readonly environment: Environment;
  private readonly digester = new DigestVisitor();
  private digestReader: RdbReader | null = null;
  private readonly chunks: Uint8Array[] = [];
  /** Writers kept between calls, with and without compression. */
  private readonly packing = new RdbWriter((chunk) => this.chunks.push(chunk), { compression: true });
  private readonly plain = new RdbWriter((chunk) => this.chunks.push(chunk), { compression: false });
  private asideDatabase: Database | null = null;
  private readers: Record<Reading, ValueReading> | null = null;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  /** Copies the value at an entry to a key that is not there; returns the new entry. */
  duplicate(from: Database, entry: number, to: Database, key: Buffer): number {
    const body = this.write(from, entry, VERSION_WITH_EVERYTHING, false, false);
    to.announceWrite(key);
    const copy = this.read(to, key, body, 0, body.length, 'copy');
    if (this.hasExpiringFields(to, copy)) this.environment.watchFields(to, key, 0, key.length);
    return copy;
  }

  /** 20 bytes that are equal for equal values and expiries. */
  digest(db: Database, entry: number): Buffer {
    const digest = Buffer.alloc(DIGEST_BYTES);
    this.addDigest(digest, db, entry);
    return digest;
  }

  /** Carries a digest on over a value, as DEBUG DIGEST does after the key. */
  addDigest(digest: Buffer, db: Database, entry: number): void {
    this.digestReader ??= new RdbReader(this.digester);
    this.digester.digest = digest;
    const type = db.type(entry);
    // Modules have number 5 in Redis.
    mixDigest(digest, Buffer.from([0, 0, 0, type === Type.stream ? 6 : type]));
    const body = this.write(db, entry, VERSION_WITH_EVERYTHING, false, false);
    this.digestReader.readValue(body, 0, body.length);
    if (db.expireAt(entry) !== NO_EXPIRY) addDigest(digest, Buffer.from('!!expire!!', 'latin1'));
  }

  /** DUMP's payload. */
  serialize(db: Database, entry: number): Buffer {
    return this.write(db, entry, Math.max(VERSION, versionNeeded(db, entry)), true, true);
  }

  /** Whether a payload is whole and of a version that can be read. */
  isSound(payload: Buffer): boolean {
    return this.bodyEnd(payload) >= 0;
  }

  /** Creates a key from a sound payload, in place of one that is there; 0 when the value contradicts itself. */
  restore(db: Database, key: Buffer, payload: Buffer): number {
    const end = this.bodyEnd(payload);
    if (end < 0) return 0;
    const aside = this.aside();
    const trust = this.environment.settings.sanitizeDumpPayload === 'no' ? 'shallow' : 'deep';
    const built = this.read(aside, key, payload, 0, end, trust);
    if (built === 0) return 0;
    const existing = db.findForWrite(key, 0, key.length);
    if (existing !== 0) db.delete(existing);
    const entry = transfer(aside, built, db, key);
    if (this.hasExpiringFields(db, entry)) this.environment.watchFields(db, key, 0, key.length);
    return entry;
  }

  private hasExpiringFields(db: Database, entry: number): boolean {
    return versionNeeded(db, entry) >= FIELD_EXPIRY_SINCE;
  }

  /** A database beside the others, where a value is built before it is known to be good. */
  private aside(): Database {
    this.asideDatabase ??= new Database(this.environment.keyspace, -1);
    return this.asideDatabase;
  }

  private bodyEnd(payload: Buffer): number {
    return dumpBodyEnd(payload, 0, payload.length, RDB_VERSION.newestRedis, this.checksums);
  }

  private write(db: Database, entry: number, version: number, compression: boolean, footer: boolean): Buffer {
    const packs = compression && this.environment.settings.rdbcompression;
    const writer = packs ? this.packing : this.plain;
    writer.reset();
    const rdbType = rdbTypeOf(db, entry, version);
    writer.type(rdbType);
    encodeValue(writer, db, entry, rdbType);
    if (footer) writer.dumpFooter(version);
    else writer.flush();
    const { chunks } = this;
    const payload = Buffer.concat(chunks);
    writer.recycle(chunks[0]);
    chunks.length = 0;
    return payload;
  }

  private read(db: Database, key: Buffer, bytes: Uint8Array, start: number, end: number, how: Reading): number {
    this.readers ??= this.createReaders();
    const { reader, builder } = this.readers[how];
    builder.startKey(db, key, 0, key.length);
    try {
      const after = reader.readValue(bytes, start, end);
      const leftOut = builder.leftOut.take();
      if (after !== end || builder.moduleName !== '' || builder.entry === 0) {
        if (builder.entry !== 0) db.delete(builder.entry);
        return 0;
      }
      for (const line of leftOut) this.environment.log('notice', line);
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      builder.abandon();
      builder.leftOut.take();
      this.environment.log('warning', `Internal error in RDB reading offset ${error.offset} -> ${error.message}`);
      return 0;
    }
    return builder.entry;
  }

  private createReaders(): Record<Reading, ValueReading> {
    const { settings } = this.environment;
    const largeLimits: EncodingLimits = {
      hashMaxListpackEntries: 0,
      hashMaxListpackValue: 0,
      setMaxIntsetEntries: 0,
      setMaxListpackEntries: 0,
      setMaxListpackValue: 0,
      zsetMaxListpackEntries: 0,
      zsetMaxListpackValue: 0,
      get listMaxListpackSize() {
        return settings.listMaxListpackSize;
      },
      get listCompressDepth() {
        return settings.listCompressDepth;
      },
      largeLists: true,
    };
    return {
      shallow: this.createReading(settings, 'shallow'),
      deep: this.createReading(settings, 'deep'),
      copy: this.createReading(largeLimits, 'shallow'),
    };
  }

  private createReading(limits: EncodingLimits, integrity: 'shallow' | 'deep'): ValueReading {
    const { keyspace, randomBytes, now } = this.environment;
    const builder = new ValueBuilder(keyspace, limits, (message) => reader.describe(message), now);
    const reader: RdbReader = new RdbReader(builder, { integrity, seed: randomBytes(4).readUInt32LE(0) });
    return { reader, builder };
  }
}

/** Moves a value to a key that is not there. */
function transfer(from: Database, entry: number, to: Database, key: Buffer): number {
  const type = from.type(entry);
  const encoding = from.encoding(entry);
  if (!isInline(encoding)) return to.createLarge(key, 0, key.length, type, encoding, from.detachLarge(entry));
  from.open(entry);
  const created = to.create(key, 0, key.length, type, encoding, from.vlen);
  from.open(entry);
  to.open(created);
  copyRange(from.vbuf, from.vpos, from.vlen, to.vbuf, to.vpos);
  from.delete(entry);
  return created;
}
