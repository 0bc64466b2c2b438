// Counts whole replies in a stream without making values of them: for load generators, where a value would cost more
// than the request. Keeps the first error's text.

const LINE_BYTES_MAX = 64 * 1024;

export class ReplyCounter {
  /** Text of the first error reply, if there was one. */
  error: string | undefined;
  /** Replies and elements still missing before the current top-level reply is whole. */
  #open = 0;
  /** Bytes of a bulk string, its line end included, that are still to come. */
  #skip = 0;
  /** The beginning of a line that is not whole yet. */
  #line = '';

  /** Takes `length` bytes and returns how many top-level replies they completed. @throws when they are not RESP */
  feed(bytes: Uint8Array, length: number): number {
    let completed = 0;
    let at = 0;
    while (at < length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, length - at);
        this.#skip -= step;
        at += step;
        if (this.#skip === 0) completed += this.#close();
        continue;
      }
      const end = bytes.indexOf(10, at);
      if (end < 0 || end >= length) {
        this.#line += latin1(bytes, at, length);
        if (this.#line.length > LINE_BYTES_MAX) throw new Error('Protocol error, too long a line');
        return completed;
      }
      completed += this.#takeLine(bytes, at, end);
      at = end + 1;
    }
    return completed;
  }

  /** One line from `at`, its LF at `end`; what came of it before is in #line. */
  #takeLine(bytes: Uint8Array, at: number, end: number): number {
    let type = bytes[at]!;
    let number = 0;
    if (this.#line === '') {
      number = readNumber(bytes, at + 1, end);
    } else {
      const line = Buffer.from(this.#line + latin1(bytes, at, end + 1), 'latin1');
      this.#line = '';
      type = line[0]!;
      number = readNumber(line, 1, line.length - 1);
      if (type === 0x2d) this.error ??= line.toString('utf8', 1, line.length - 2);
    }
    if (this.#open === 0) this.#open = 1;
    switch (type) {
      case 0x24: // $
      case 0x3d: // =
      case 0x21: // !
        if (number < 0) return this.#close();
        this.#skip = number + 2;
        return 0;
      case 0x2a: // *
      case 0x7e: // ~
        return this.#openItems(number);
      case 0x25: // %
        return this.#openItems(number * 2);
      case 0x2d: // -
        this.error ??= Buffer.from(latin1(bytes, at + 1, end - 1), 'latin1').toString('utf8');
        return this.#close();
      case 0x2b: // +
      case 0x3a: // :
      case 0x5f: // _
      case 0x23: // #
      case 0x2c: // ,
      case 0x28: // (
        return this.#close();
      default:
        throw new Error(`Protocol error, got "${String.fromCharCode(type)}" as reply type byte`);
    }
  }

  #openItems(count: number): number {
    if (count > 0) {
      this.#open += count;
    }
    return this.#close();
  }

  /** One reply or element is done; 1 when with it the top-level reply is. */
  #close(): number {
    return --this.#open === 0 ? 1 : 0;
  }
}

/** The decimal number between two positions, up to the CR; negative: no such value. */
function readNumber(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === 13) break;
    if (byte === 45) return -1;
    value = value * 10 + byte - 48;
  }
  return value;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}
