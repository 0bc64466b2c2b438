// SHA-1 of short messages without an object for each: what node:crypto needs to begin takes longer than the whole sum.

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
export const SHA1_BYTES = 20;

const schedule = new Int32Array(80);
const state = new Int32Array(5);
const tail = new Uint8Array(BLOCK_BYTES * 2);

/** Writes the sum of `bytes` to `into`, 20 bytes from `at` on. */
export function sha1(bytes: Uint8Array, into: Uint8Array, at = 0): void {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  for (let i = 0; i < whole; i += BLOCK_BYTES) addBlock(bytes, i);
  addTail(bytes, whole);
  for (let i = 0; i < 5; i++) {
    into[at + i * 4] = state[i] >>> 24;
    into[at + i * 4 + 1] = state[i] >>> 16;
    into[at + i * 4 + 2] = state[i] >>> 8;
    into[at + i * 4 + 3] = state[i];
  }
}

/** The rest of the message, a one bit, zeros, and the length in bits. */
function addTail(bytes: Uint8Array, from: number): void {
  const rest = bytes.length - from;
  const blocks = rest + 1 + LENGTH_BYTES > BLOCK_BYTES ? 2 : 1;
  tail.fill(0);
  for (let i = 0; i < rest; i++) tail[i] = bytes[from + i];
  tail[rest] = 0x80;
  let bits = bytes.length * 8;
  for (let i = blocks * BLOCK_BYTES - 1; bits > 0; i--) {
    tail[i] = bits % 256;
    bits = Math.floor(bits / 256);
  }
  for (let i = 0; i < blocks; i++) addBlock(tail, i * BLOCK_BYTES);
}

function addBlock(bytes: Uint8Array, from: number): void {
  const w = schedule;
  for (let i = 0, p = from; i < 16; i++, p += 4) {
    w[i] = (bytes[p] << 24) | (bytes[p + 1] << 16) | (bytes[p + 2] << 8) | bytes[p + 3];
  }
  for (let i = 16; i < 80; i++) {
    const x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
    w[i] = (x << 1) | (x >>> 31);
  }
  let [a, b, c, d, e] = state;
  for (let i = 0; i < 80; i++) {
    let f: number;
    if (i < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
    else if (i < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
    else if (i < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else f = (b ^ c ^ d) + 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + f + e + w[i]) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}
