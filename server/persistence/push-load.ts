// Loads a dump that comes in pieces from elsewhere: from a primary's socket.

import { RdbReader } from '../formats/rdb/reader.ts';
import type { Database } from '../keyspace/database.ts';
import type { Environment, LibraryStore } from './environment.ts';
import { sleep } from './load.ts';
import { LoadVisitor } from './load-visitor.ts';

const WINDOW_BYTES = 1 << 19;

export class PushedDump {
  readonly visitor: LoadVisitor;
  /** Bytes taken. */
  bytes = 0;
  /** Function libraries that came with it; whoever takes the data takes them. */
  readonly libraries: Uint8Array[] = [];
  private readonly reader: RdbReader;
  private done = false;

  /** `databases`: where the keys go; null: into the server's own. */
  constructor(environment: Environment, databases: readonly Database[] | null) {
    const { settings } = environment;
    this.visitor = new LoadVisitor(
      { ...environment, libraries: this.collector() },
      {
        isPreamble: false,
        replaces: false,
        ...(databases === null ? {} : { databases }),
      },
    );
    this.reader = new RdbReader(this.visitor, {
      integrity: settings.sanitizeDumpPayload === 'yes' ? 'deep' : 'shallow',
      windowBytes: WINDOW_BYTES,
      checksum: settings.rdbchecksum,
      seed: environment.randomBytes(4).readUInt32LE(0),
    });
    this.visitor.reader = this.reader;
    const delayMs = Number(settings.keyLoadDelay) / 1000;
    if (delayMs > 0) this.visitor.eachKey = () => sleep(delayMs);
  }

  private collector(): LibraryStore {
    const { libraries } = this;
    return {
      all: () => libraries,
      load: (code) => {
        libraries.push(code);
        return null;
      },
      clear: () => undefined,
    };
  }

  /** Loads a piece. Throws RdbError. */
  push(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (!this.done) this.done = this.reader.push(chunk) === 'done';
  }

  /** Everything has come. Throws RdbError when the dump is not complete. */
  finish(): void {
    if (!this.done) this.reader.finish();
    this.visitor.logLeftOut();
  }

  /** Lets go of a value that was begun. */
  abandon(): void {
    this.visitor.abandon();
  }
}
