// Reads hashes whose field names are kept apart from their values (RDB 15), and the names:
//   opcode 242: id, count, names; comes before the keys that refer to it
//   fields, in types 29 and 31: 0, listpack of names | 1, count, names
//   29: fields, listpack of id and values | 30: listpack of id and values
//   31: fields, values                    | 32: id, values
// Names ascend by length, then by their bytes. An id beside fields means nothing.

import type { BlobValidator } from './blobs.ts';
import type { ValueReader } from './collections.ts';
import { ListpackCursor } from './listpack.ts';
import { Slice } from './slice.ts';
import type { RdbSource } from './source.ts';
import { RDB_TYPE } from './types.ts';
import type { RdbVisitor } from './visitor.ts';

const PACKED_NAMES = 0;
const PLAIN_NAMES = 1;

const BROKEN = 'Hash template listpack integrity check failed.';

type Part = 'names' | 'packed-names' | 'packed-values' | 'begin' | 'values';

/** Names one behind the other in one piece of memory. */
class FieldNames {
  #bytes = new Uint8Array(64);
  #end = 0;
  readonly #ends: number[] = [];

  clear(): void {
    this.#end = 0;
    this.#ends.length = 0;
  }

  get count(): number {
    return this.#ends.length;
  }

  add(name: Slice): void {
    const end = this.#end + name.length;
    if (end > this.#bytes.length) this.#resize(Math.max(end, this.#bytes.length * 2));
    this.#bytes.set(name.bytes.subarray(name.start, name.end), this.#end);
    this.#end = end;
    this.#ends.push(end);
  }

  /** Points `into` at a name; valid as long as none is added. */
  read(at: number, into: Slice): void {
    into.set(this.#bytes, at === 0 ? 0 : this.#ends[at - 1], this.#ends[at]);
  }

  /** Gives back memory that more names would have taken. */
  seal(): void {
    this.#resize(this.#end);
  }

  #resize(bytes: number): void {
    const memory = new Uint8Array(bytes);
    memory.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = memory;
  }
}

export class HashTemplateReader implements ValueReader {
  readonly #source: RdbSource;
  readonly #visitor: RdbVisitor;
  readonly #blobs: BlobValidator;
  readonly #deep: boolean;
  readonly #templates = new Map<number, FieldNames>();
  readonly #cursor = new ListpackCursor();
  readonly #text = new Slice();
  readonly #field = new Slice();
  readonly #last = new Slice();
  #part: Part = 'names';
  #type = 0;
  /** The template being read; -1 while the value of a key is. */
  #record = -1;
  #names = new FieldNames();
  /** The names that came with the last key. */
  readonly #own = new FieldNames();
  #ascending = true;
  #left = 0;

  constructor(source: RdbSource, visitor: RdbVisitor, blobs: BlobValidator, deep: boolean) {
    this.#source = source;
    this.#visitor = visitor;
    this.#blobs = blobs;
    this.#deep = deep;
  }

  /** Forgets all templates. */
  clear(): void {
    this.#templates.clear();
  }

  /** Reads what precedes the names of a template. */
  openTemplate(): void {
    const s = this.#source;
    const id = s.length();
    if (!Number.isSafeInteger(id)) throw s.fail('integrity', `Hash template ID ${s.lengthExact()} is out of range`);
    this.#left = s.length();
    if (this.#left === 0) s.damaged(`Hash template ${id} has zero fields`);
    if (this.#templates.has(id)) s.damaged(`Duplicate hash template ID ${id}`);
    this.#record = id;
    this.#part = 'names';
    this.#names = new FieldNames();
    this.#ascending = true;
  }

  /** Reads what precedes the fields or values of a key. */
  open(type: number): void {
    const s = this.#source;
    this.#type = type;
    this.#record = -1;
    if (type === RDB_TYPE.hashTemplateListpackRef) {
      this.#part = 'packed-values';
    } else if (type === RDB_TYPE.hashTemplateArrayRef) {
      this.#refer(s.length());
      this.#part = 'begin';
    } else {
      const form = s.length();
      if (form > PLAIN_NAMES) throw s.fail('integrity', `Unknown form ${form} of hash template fields`);
      if (form === PLAIN_NAMES) this.#left = s.length();
      this.#part = form === PACKED_NAMES ? 'packed-names' : 'names';
      this.#names = this.#own;
      this.#names.clear();
      this.#ascending = true;
    }
  }

  run(): boolean {
    for (;;) {
      switch (this.#part) {
        case 'names':
          this.#runNames();
          if (this.#record !== -1) return this.#register();
          this.#afterNames();
          break;
        case 'packed-names':
          this.#source.string(this.#text);
          this.#takeNames();
          this.#afterNames();
          break;
        case 'packed-values':
          this.#source.string(this.#text);
          this.#takeValues();
          this.#source.mark = this.#source.pos;
          return true;
        case 'begin':
          this.#begin();
          this.#part = 'values';
          break;
        case 'values':
          return this.#runValues();
      }
      this.#source.mark = this.#source.pos;
    }
  }

  #refer(id: number): void {
    const names = this.#templates.get(id);
    if (names === undefined) throw this.#source.fail('integrity', `Invalid hash template ID ${id}`);
    this.#names = names;
  }

  #register(): true {
    const names = this.#names;
    if (!this.#ascending) this.#source.damaged(`Fields of hash template ${this.#record} do not ascend`);
    names.seal();
    if (names.count > 0 && !this.#templates.has(this.#record)) this.#templates.set(this.#record, names);
    return true;
  }

  #runNames(): void {
    const s = this.#source;
    while (this.#left > 0) {
      s.string(this.#text);
      this.#addName(this.#text);
      this.#left--;
      s.mark = s.pos;
    }
  }

  #addName(name: Slice): void {
    const names = this.#names;
    if (this.#ascending && names.count > 0) {
      names.read(names.count - 1, this.#last);
      this.#ascending = precedes(this.#last, name);
    }
    names.add(name);
  }

  /** The names of a key are known. */
  #afterNames(): void {
    if (this.#names.count === 0) this.#source.damaged('Hash template with zero fields');
    if (this.#deep && !this.#ascending) this.#source.damaged('Hash template fields do not ascend');
    this.#part = this.#type === RDB_TYPE.hashTemplateListpack ? 'packed-values' : 'begin';
  }

  #takeNames(): void {
    const promised = this.#blobs.listpack(this.#text);
    const { bytes, start, end } = this.#text;
    this.#cursor.open(bytes, start, end);
    while (promised >= 0 && this.#cursor.next()) this.#addName(this.#cursor.text());
    if (this.#cursor.broken || promised !== this.#names.count) this.#source.damaged(BROKEN);
  }

  #begin(): void {
    this.#left = this.#names.count;
    if (this.#names.count > 0) this.#visitor.begin('hash', this.#names.count);
    else this.#visitor.emptyValue();
  }

  #runValues(): boolean {
    const s = this.#source;
    while (this.#left > 0) {
      const skipped = s.stringOrSkip(this.#text);
      this.#names.read(this.#names.count - this.#left, this.#field);
      if (skipped > 0) this.#visitor.skipped(skipped);
      else this.#visitor.pair(this.#field, this.#text, -1);
      this.#left--;
      s.mark = s.pos;
      if (s.toSkip > 0) return false;
    }
    return true;
  }

  #takeValues(): void {
    const problem = this.#packedProblem();
    if (problem !== '') {
      this.#source.damaged(problem);
      return;
    }
    const { count } = this.#names;
    const cursor = this.#cursor;
    this.#begin();
    for (let at = 0; at < count && cursor.next(); at++) {
      this.#names.read(at, this.#field);
      this.#visitor.pair(this.#field, cursor.text(), -1);
    }
    // Entries are proven beforehand only when reading deep.
    if (cursor.broken || cursor.next()) this.#source.damaged(BROKEN);
  }

  /** What is wrong with packed values, or '': then the cursor stands before the first of as many as there are names. */
  #packedProblem(): string {
    const cursor = this.#cursor;
    const promised = this.#blobs.listpack(this.#text);
    if (promised < 0) return BROKEN;
    cursor.open(this.#text.bytes, this.#text.start, this.#text.end);
    if (!cursor.next()) return cursor.broken ? BROKEN : 'Hash template listpack is empty';
    if (!cursor.isInteger) return 'Hash template listpack does not begin with an ID';
    if (this.#type === RDB_TYPE.hashTemplateListpackRef) {
      const names = this.#templates.get(cursor.integer);
      if (names === undefined) return `Invalid hash template ID ${cursor.integer}`;
      this.#names = names;
    }
    const { count } = this.#names;
    return promised === count + 1 ? '' : `Hash template listpack has ${promised - 1} values for ${count} fields`;
  }
}

/** The order of names: shorter ones first, equally long ones by their bytes. */
function precedes(a: Slice, b: Slice): boolean {
  if (a.length !== b.length) return a.length < b.length;
  for (let i = 0; i < a.length; i++) {
    const difference = a.bytes[a.start + i] - b.bytes[b.start + i];
    if (difference !== 0) return difference < 0;
  }
  return false;
}
