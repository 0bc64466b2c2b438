// The patterns of SORT's BY and GET: `weight_*` names a key per element, `object_*->field` a field of a hash, `#` the
// element itself.

import { copyRange } from '../base/bytes.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import type { PackedElement } from '../memory/packed-entry.ts';
import type { Context } from './context.ts';
import { fieldValue, findFieldAt } from './hash-access.ts';
import { dropExpiredFields } from './hash-field-expiry.ts';
import type { ElementVector } from './sort-elements.ts';

const STAR = 42;
const HASH = 35;

export class SortPattern {
  /** Stands for the element itself. */
  readonly itself: boolean;
  /** Whether it depends on the element at all. */
  readonly varies: boolean;
  private readonly prefix: Buffer;
  private readonly suffix: Buffer;
  private readonly field: Buffer | null;
  private key: Buffer;

  constructor(pattern: Buffer) {
    this.itself = pattern.length === 1 && pattern[0] === HASH;
    const star = pattern.indexOf(STAR);
    this.varies = star >= 0;
    this.prefix = pattern.subarray(0, Math.max(0, star));
    let rest = pattern.subarray(star + 1);
    const arrow = rest.indexOf('->');
    const hasField = this.varies && arrow >= 0 && arrow + 2 < rest.length;
    this.field = hasField ? rest.subarray(arrow + 2) : null;
    if (hasField) rest = rest.subarray(0, arrow);
    this.suffix = rest;
    this.key = Buffer.allocUnsafe(pattern.length + 64);
    this.prefix.copy(this.key);
  }

  /** Appends what the pattern names for element `i` of `elements` to `into`, or that it is missing. */
  resolve(c: Context, elements: ElementVector, i: number, into: ElementVector): void {
    if (this.itself) {
      into.push(elements.buf, elements.start(i), elements.size(i));
      return;
    }
    const entry = this.varies ? this.lookUp(c, elements, i) : 0;
    if (entry === 0) {
      into.pushMissing();
    } else if (this.field === null) {
      this.takeString(c, entry, into);
    } else {
      const found = this.takeField(c, entry, this.field);
      if (found === null) into.pushMissing();
      else into.push(found.buf, found.pos, found.len);
    }
  }

  private lookUp(c: Context, elements: ElementVector, i: number): number {
    const before = this.prefix.length;
    const size = elements.size(i);
    const length = before + size + this.suffix.length;
    if (length > this.key.length) {
      this.key = Buffer.allocUnsafe(length * 2);
      this.prefix.copy(this.key);
    }
    const start = elements.start(i);
    copyRange(elements.buf, start, size, this.key, before);
    copyRange(this.suffix, 0, this.suffix.length, this.key, before + size);
    return c.lookupReadAt(this.key, 0, length);
  }

  private takeString(c: Context, entry: number, into: ElementVector): void {
    if (c.db.type(entry) !== Type.string) {
      into.pushMissing();
      return;
    }
    c.db.open(entry);
    into.push(c.db.vbuf, c.db.vpos, c.db.vlen);
  }

  private takeField(c: Context, entry: number, field: Buffer): PackedElement | null {
    if (c.db.type(entry) !== Type.hash) return null;
    const alive = c.db.encoding(entry) === Encoding.listpack ? entry : dropExpiredFields(c, entry);
    if (alive === 0 || !findFieldAt(c, alive, field, 0, field.length)) return null;
    return fieldValue.text();
  }
}
