// Passes over what modules store, without knowing the modules: id (9 letters of 6 bits, 10 bits version), then opcode and
// operand pairs up to opcode 0.

import type { ValueReader } from './collections.ts';
import { Slice } from './slice.ts';
import type { RdbSource } from './source.ts';
import { MODULE_OPCODE } from './types.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The name in a module type's 64-bit id. */
export function moduleName(id: bigint): string {
  let name = '';
  let rest = id >> 10n;
  for (let i = 0; i < 9; i++) {
    name = LETTERS[Number(rest & 63n)] + name;
    rest >>= 6n;
  }
  return name;
}

/** The name of a class of key metadata in its 32 bits: 4 letters of 6 bits, 5 bits version, 3 flags. */
export function metadataName(specification: number): string {
  let name = 'META-';
  for (let shift = 26; shift >= 8; shift -= 6) name += LETTERS[(specification >>> shift) & 63];
  return name;
}

export class ModuleReader implements ValueReader {
  readonly #source: RdbSource;
  readonly #operand = new Slice();
  #name = '';

  constructor(source: RdbSource) {
    this.#source = source;
  }

  open(name: string): void {
    this.#name = name;
  }

  run(): boolean {
    const s = this.#source;
    for (;;) {
      s.starvedMessage = '';
      const opcode = s.length();
      if (opcode === MODULE_OPCODE.eof) {
        s.mark = s.pos;
        return true;
      }
      this.#pass(opcode);
      s.mark = s.pos;
      if (s.toSkip > 0) return false;
    }
  }

  /** Reads the operand, or the head of a string that is to be skipped. */
  #pass(opcode: number): void {
    const s = this.#source;
    switch (opcode) {
      case MODULE_OPCODE.sint:
      case MODULE_OPCODE.uint:
        s.starvedMessage = `Error reading integer from module ${this.#name} value`;
        s.length();
        return;
      case MODULE_OPCODE.string:
        s.starvedMessage = `Error reading string from module ${this.#name} value`;
        s.stringOrSkip(this.#operand);
        return;
      case MODULE_OPCODE.float:
        s.starvedMessage = `Error reading float from module ${this.#name} value`;
        s.raw(this.#operand, 4);
        return;
      case MODULE_OPCODE.double:
        s.starvedMessage = `Error reading double from module ${this.#name} value`;
        s.raw(this.#operand, 8);
        return;
      default:
        throw s.fail('integrity', `Unknown opcode ${opcode} in the value of module ${this.#name}`);
    }
  }
}
