// A data set as the commands that make it anew: the base of an append-only log when aof-use-rdb-preamble is off. A value
// is taken apart by the RDB reader, so this file knows no encodings.

import { AofEncoder } from '../formats/aof/encoder.ts';
import { RdbReader } from '../formats/rdb/reader.ts';
import { RdbWriter } from '../formats/rdb/writer.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import { CommandVisitor } from './command-visitor.ts';
import type { DumpTarget } from './dump-writer.ts';
import { encodeValue, rdbTypeOf } from './encode-value.ts';

/** Inside the server every form there is may be used. */
const VERSION_WITH_EVERYTHING = 12;
/** Bytes after which what was built goes to the sink. */
const CHUNK_BYTES = 1 << 17;

export class CommandDump implements DumpTarget {
  keys = 0;
  private readonly sink: (chunk: Uint8Array) => void;
  private readonly timestampSeconds: number | null;
  private readonly libraries: readonly Uint8Array[];
  private readonly encoder = new AofEncoder();
  private readonly visitor = new CommandVisitor(this.encoder);
  private readonly reader = new RdbReader(this.visitor);
  private selected = -1;
  private readonly body: Uint8Array[] = [];
  private readonly writer = new RdbWriter((chunk) => this.body.push(chunk), { compression: false });

  /** `timestampSeconds`: noted at the beginning, unless it is null. */
  constructor(sink: (chunk: Uint8Array) => void, libraries: readonly Uint8Array[], timestampSeconds: number | null) {
    this.sink = sink;
    this.timestampSeconds = timestampSeconds;
    this.libraries = libraries;
  }

  begin(): void {
    if (this.timestampSeconds !== null) this.encoder.timestamp(this.timestampSeconds);
    for (const code of this.libraries) {
      this.encoder.command(3);
      this.encoder.text('FUNCTION');
      this.encoder.text('LOAD');
      this.encoder.argument(code, 0, code.length);
    }
  }

  select(index: number): void {
    if (this.selected === index) return;
    this.selected = index;
    this.encoder.command(2);
    this.encoder.text('SELECT');
    this.encoder.integer(index);
  }

  key(db: Database, entry: number): void {
    const { encoder } = this;
    const key = db.keyBytes(entry);
    const rdbType = rdbTypeOf(db, entry, VERSION_WITH_EVERYTHING);
    const { writer } = this;
    writer.reset();
    writer.type(rdbType);
    encodeValue(writer, db, entry, rdbType);
    writer.flush();
    const body = this.body.length === 1 ? this.body[0] : Buffer.concat(this.body);
    const first = this.body[0];
    this.body.length = 0;
    this.visitor.startKey(key);
    this.reader.readValue(body, 0, body.length);
    writer.recycle(first);
    const expireAt = db.expireAt(entry);
    if (expireAt !== NO_EXPIRY) {
      encoder.command(3);
      encoder.text('PEXPIREAT');
      encoder.argument(key, 0, key.length);
      encoder.integer(expireAt);
    }
    this.keys++;
    if (encoder.length > CHUNK_BYTES) this.flush();
  }

  /** Values are small here, or written at once. */
  keyInPieces(db: Database, entry: number): null {
    this.key(db, entry);
    return null;
  }

  end(): void {
    this.flush();
  }

  private flush(): void {
    if (this.encoder.length === 0) return;
    this.sink(this.encoder.bytes().slice());
    this.encoder.clear();
  }
}
