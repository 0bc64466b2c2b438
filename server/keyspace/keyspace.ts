// All databases of a server.

import type { HashSeed } from '../base/hash.ts';
import { Database } from './database.ts';
import { Space } from './space.ts';
import { ValueRegion } from './value-region.ts';

export class Keyspace extends Space {
  readonly databases: Database[] = [];
  /** For handlers: views of inline values, bound anew by each. Two, for commands that move between keys. */
  readonly region = new ValueRegion();
  readonly otherRegion = new ValueRegion();

  constructor(databaseCount: number, seed: HashSeed) {
    super(seed);
    for (let index = 0; index < databaseCount; index++) this.databases.push(new Database(this, index));
  }

  /** Exchanges two databases (SWAPDB). Their indexes stay with their positions. */
  swap(first: number, second: number): void {
    const a = this.databases[first];
    const b = this.databases[second];
    this.databases[first] = b;
    this.databases[second] = a;
    a.index = second;
    b.index = first;
  }

  /** Drops everything. Returns the number of keys that were there. */
  clearAll(): number {
    let removed = 0;
    for (const db of this.databases) removed += db.clear();
    if (this.arena.usedBytes === 0) this.arena.reset();
    return removed;
  }

  /** Keys in all databases. */
  get size(): number {
    let sum = 0;
    for (const db of this.databases) sum += db.size;
    return sum;
  }

  /** Bytes of data: blocks in use plus the hash tables. */
  get usedBytes(): number {
    let sum = this.arena.usedBytes;
    for (const db of this.databases) sum += db.tableBytes;
    return sum;
  }
}
