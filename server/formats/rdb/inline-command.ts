// Reads commands between the keys (Valkey's opcode 242), in the protocol's form:
//   *COUNT\r\n then per argument $BYTES\r\n, the bytes, \r\n
// They only come with a full synchronisation, from a primary that saves without fork and is written to meanwhile.

import type { ValueReader } from './collections.ts';
import { Slice } from './slice.ts';
import type { RdbSource } from './source.ts';
import type { RdbVisitor } from './visitor.ts';

const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
/** No count or length needs more digits. */
const DIGITS_MAX = 15;

export class InlineCommandReader implements ValueReader {
  readonly #source: RdbSource;
  readonly #visitor: RdbVisitor;
  readonly #argument = new Slice();
  #argumentsLeft = 0;
  #isName = true;

  constructor(source: RdbSource, visitor: RdbVisitor) {
    this.#source = source;
    this.#visitor = visitor;
  }

  /** Reads what precedes the arguments. */
  open(): void {
    this.#argumentsLeft = this.#header(ASTERISK);
    if (this.#argumentsLeft === 0) throw this.#broken();
    this.#isName = true;
  }

  run(): boolean {
    const s = this.#source;
    while (this.#argumentsLeft > 0) {
      const length = this.#header(DOLLAR);
      s.raw(this.#argument, length);
      this.#expect(CR);
      this.#expect(LF);
      if (this.#isName) this.#visitor.inlineCommand(this.#argument);
      this.#isName = false;
      this.#argumentsLeft--;
      s.mark = s.pos;
    }
    return true;
  }

  /** Reads a line of a sign and a number. */
  #header(sign: number): number {
    const s = this.#source;
    this.#expect(sign);
    let value = 0;
    for (let digits = 0; ; digits++) {
      const byte = s.u8();
      if (byte === CR && digits > 0) break;
      if (byte < ZERO || byte > NINE || digits === DIGITS_MAX) throw this.#broken();
      value = value * 10 + byte - ZERO;
    }
    this.#expect(LF);
    return value;
  }

  #expect(byte: number): void {
    if (this.#source.u8() !== byte) throw this.#broken();
  }

  #broken(): Error {
    return this.#source.fail('integrity', 'Malformed command between the keys');
  }
}
