// The bytes of an inline value as a Region: growing moves the whole entry, so `entry` must be read again after splices.

import type { Region } from '../memory/region.ts';
import type { Database } from './database.ts';

export class ValueRegion implements Region {
  buf: Buffer = Buffer.alloc(0);
  pos = 0;
  len = 0;
  entry = 0;
  db!: Database;

  /** Works on the inline value of an entry. */
  bind(db: Database, entry: number): this {
    this.db = db;
    this.entry = entry;
    this.refresh();
    return this;
  }

  refresh(): void {
    this.db.open(this.entry);
    this.follow();
  }

  splice(offset: number, removed: number, inserted: number): void {
    this.entry = this.db.spliceValue(this.entry, offset, removed, inserted);
    this.follow();
  }

  private follow(): void {
    this.buf = this.db.vbuf;
    this.pos = this.db.vpos;
    this.len = this.db.vlen;
  }
}
