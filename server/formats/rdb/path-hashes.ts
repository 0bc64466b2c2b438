// Passes over Valkey's path hashes (type 23), proving that they are sound:
//   count of paths, (path, count of fields, (field, value))

import type { ValueReader } from './collections.ts';
import { DuplicateFinder } from './duplicates.ts';
import { Slice } from './slice.ts';
import type { RdbSource } from './source.ts';

export class PathHashReader implements ValueReader {
  readonly #source: RdbSource;
  readonly #fields: DuplicateFinder;
  readonly #deep: boolean;
  readonly #seed: number;
  readonly #name = new Slice();
  readonly #value = new Slice();
  #paths: DuplicateFinder | undefined;
  #pathsLeft = 0;
  #fieldsLeft = 0;

  /** `fields` is for this reader's use while a value is read; of its own it makes one for paths. */
  constructor(source: RdbSource, fields: DuplicateFinder, deep: boolean, seed: number) {
    this.#source = source;
    this.#fields = fields;
    this.#deep = deep;
    this.#seed = seed;
  }

  /** Reads what precedes the paths; returns their number. */
  open(): number {
    this.#pathsLeft = this.#source.length();
    this.#fieldsLeft = 0;
    if (this.#deep) {
      this.#paths ??= new DuplicateFinder(this.#seed);
      this.#paths.clear(this.#pathsLeft);
    }
    return this.#pathsLeft;
  }

  run(): boolean {
    const s = this.#source;
    for (;;) {
      while (this.#fieldsLeft > 0) {
        this.#passField();
        this.#fieldsLeft--;
        s.mark = s.pos;
        if (s.toSkip > 0) return false;
      }
      if (this.#pathsLeft === 0) return true;
      this.#openPath();
      this.#pathsLeft--;
      s.mark = s.pos;
    }
  }

  #openPath(): void {
    const s = this.#source;
    s.string(this.#name);
    const count = s.length();
    if (this.#paths?.add(this.#name) === false) s.damaged('Duplicate paths of a path hash detected');
    if (count === 0) s.damaged('Path hash with a path without fields');
    if (this.#deep) this.#fields.clear(count);
    this.#fieldsLeft = count;
  }

  #passField(): void {
    const s = this.#source;
    s.string(this.#name);
    s.stringOrSkip(this.#value);
    if (this.#deep && !this.#fields.add(this.#name)) s.damaged('Duplicate path hash fields detected');
  }
}
