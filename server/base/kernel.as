// CRC-64/Jones and LZF at the speed of machine code. AssemblyScript, compiled by scripts/build-kernel.mjs into
// kernel-bytes.ts; the algorithms are explained in crc64.ts and lzf.ts, whose results these equal.
// Memory: 0 the running checksum, TABLES 16 tables of 256 u64, SHIFTS 8 tables of 256 u64, POSITIONS 65536 u32, then the
// caller's areas.

const TABLES: usize = 1024;
const POSITIONS: usize = 65536;
const POLYNOMIAL: u64 = 0x95ac9329ac4bc9b5;
const SLICES: i32 = 16;
/** What each byte of a checksum becomes by LANE zero bytes. */
const SHIFTS: usize = TABLES + 16 * 2048;
/** Three runs of this many bytes are summed side by side: one alone waits for its own table look-ups. */
const LANE: usize = 1024;

export function prepare(): void {
  for (let value: i32 = 0; value < 256; value++) {
    let crc: u64 = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
    store<u64>(TABLES + (value << 3), crc);
  }
  for (let at: i32 = 256; at < 256 * SLICES; at++) {
    const before = load<u64>(TABLES + ((at - 256) << 3));
    store<u64>(TABLES + (at << 3), (before >> 8) ^ load<u64>(TABLES + (<usize>(before & 255) << 3)));
  }
  // A checksum is linear: what a byte becomes is the sum of what its bits become.
  for (let byte: usize = 0; byte < 8; byte++) {
    const table = SHIFTS + (byte << 11);
    store<u64>(table, 0);
    for (let bit: usize = 1; bit < 256; bit <<= 1) {
      let crc = <u64>bit << (<u64>byte << 3);
      for (let zeros: usize = 0; zeros < LANE; zeros++) {
        crc = (crc >> 8) ^ load<u64>(TABLES + (<usize>(crc & 255) << 3));
      }
      for (let below: usize = 0; below < bit; below++) {
        store<u64>(table + ((bit | below) << 3), crc ^ load<u64>(table + (below << 3)));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function entry(slice: usize, word: u64, shift: u64): u64 {
  return load<u64>(TABLES + (slice << 11) + (<usize>((word >> shift) & 255) << 3));
}

// @ts-ignore: decorator
@inline
function round(crc: u64, p: usize): u64 {
  const a = load<u64>(p) ^ crc;
  const b = load<u64>(p, 8);
  return (
    entry(15, a, 0) ^ entry(14, a, 8) ^ entry(13, a, 16) ^ entry(12, a, 24) ^
    entry(11, a, 32) ^ entry(10, a, 40) ^ entry(9, a, 48) ^ entry(8, a, 56) ^
    entry(7, b, 0) ^ entry(6, b, 8) ^ entry(5, b, 16) ^ entry(4, b, 24) ^
    entry(3, b, 32) ^ entry(2, b, 40) ^ entry(1, b, 48) ^ entry(0, b, 56)
  );
}

/** The checksum after LANE zero bytes. */
function shifted(crc: u64): u64 {
  let result: u64 = 0;
  for (let at: usize = 0; at < 8; at++) {
    result ^= load<u64>(SHIFTS + (at << 11) + (<usize>((crc >> (<u64>at << 3)) & 255) << 3));
  }
  return result;
}

/** Adds `length` bytes at `from` to the checksum at address 0. */
export function sum(from: usize, length: usize): void {
  let crc = load<u64>(0);
  let p = from;
  const end = from + length;
  while (p + 3 * LANE <= end) {
    let second: u64 = 0;
    let third: u64 = 0;
    for (const stop = p + LANE; p < stop; p += 16) {
      crc = round(crc, p);
      second = round(second, p + LANE);
      third = round(third, p + 2 * LANE);
    }
    crc = shifted(shifted(crc) ^ second) ^ third;
    p += 2 * LANE;
  }
  for (const stop = p + ((end - p) & ~15); p < stop; p += 16) crc = round(crc, p);
  for (; p < end; p++) {
    crc = (crc >> 8) ^ load<u64>(TABLES + (<usize>((crc ^ load<u8>(p)) & 255) << 3));
  }
  store<u64>(0, crc);
}

/** Expands; 1 when it gave exactly `length` bytes. Writes up to 16 bytes beyond them. */
export function expand(from: usize, packed: usize, to: usize, length: usize): i32 {
  const end = from + packed;
  const stop = to + length;
  let ip = from;
  let op = to;
  while (ip < end) {
    const control: usize = load<u8>(ip++);
    if (control < 32) {
      const count = control + 1;
      if (ip + count > end || op + count > stop) return 0;
      store<u64>(op, load<u64>(ip));
      store<u64>(op, load<u64>(ip, 8), 8);
      if (count > 16) {
        store<u64>(op, load<u64>(ip, 16), 16);
        store<u64>(op, load<u64>(ip, 24), 24);
      }
      ip += count;
      op += count;
      continue;
    }
    let run: usize = control >> 5;
    if (run == 7) {
      if (ip >= end) return 0;
      run += load<u8>(ip++);
    }
    run += 2;
    if (ip >= end) return 0;
    const back = ((control & 31) << 8) + load<u8>(ip++) + 1;
    if (op - to < back || op + run > stop) return 0;
    let source = op - back;
    const last = op + run;
    if (back >= 8) {
      do {
        store<u64>(op, load<u64>(source));
        op += 8;
        source += 8;
      } while (op < last);
    } else {
      do {
        store<u8>(op++, load<u8>(source++));
      } while (op < last);
    }
    op = last;
  }
  return op == stop ? 1 : 0;
}

// @ts-ignore: decorator
@inline
function slotOf(three: u32): usize {
  return POSITIONS + (<usize>(((three >> 8) - three * 5) & 0xffff) << 2);
}

/** Compresses; the length, or 0 when that would exceed `outputMax`. `base` makes older positions smaller than any now. */
export function compress(from: usize, length: usize, to: usize, outputMax: usize, base: u32): i32 {
  const end = from + length;
  const limit = to + outputMax;
  const lastHash = end - 2;
  const first: i32 = base + 1;
  let ip = from;
  let op = to + 1;
  let literals: usize = 0;
  let three: u32 = (<u32>load<u8>(ip) << 8) | load<u8>(ip, 1);
  while (ip < lastHash) {
    three = ((three << 8) | load<u8>(ip, 2)) & 0xffffff;
    const slot = slotOf(three);
    const position: i32 = base + 1 + <i32>(ip - from);
    const known = load<i32>(slot);
    store<i32>(slot, position);
    const offset: usize = position - known - 1;
    const ref = ip - offset - 1;
    if (
      known > first &&
      offset < 8192 &&
      ((load<u32>(ref) ^ load<u32>(ip)) & 0xffffff) == 0
    ) {
      const rest = end - ip - 2;
      const maximum: usize = rest < 264 ? rest : 264;
      const open: usize = literals == 0 ? 1 : 0;
      if (op - open + 4 >= limit) return 0;
      if (open) op--;
      else store<u8>(op - literals - 1, literals - 1);
      const maximumAtFirst: usize = maximum > 16 ? 19 : maximum;
      let run: usize = 3;
      while (run < maximumAtFirst && load<u8>(ref + run) == load<u8>(ip + run)) run++;
      if (run == 19) while (run < maximum && load<u8>(ref + run) == load<u8>(ip + run)) run++;
      const code = run - 2;
      if (code < 7) {
        store<u8>(op++, (offset >> 8) + (code << 5));
      } else {
        store<u8>(op++, (offset >> 8) + 224);
        store<u8>(op++, code - 7);
      }
      store<u8>(op++, offset);
      literals = 0;
      op++;
      ip += run;
      if (ip >= lastHash) break;
      for (let at = ip - 2; at < ip; at++) {
        const inside: u32 = (<u32>load<u8>(at) << 16) | (<u32>load<u8>(at, 1) << 8) | load<u8>(at, 2);
        store<i32>(slotOf(inside), base + 1 + <i32>(at - from));
        three = inside;
      }
    } else {
      if (op >= limit) return 0;
      store<u8>(op++, load<u8>(ip++));
      if (++literals == 32) {
        store<u8>(op - 33, 31);
        literals = 0;
        op++;
      }
    }
  }
  if (op + 3 > limit) return 0;
  while (ip < end) {
    store<u8>(op++, load<u8>(ip++));
    if (++literals == 32) {
      store<u8>(op - 33, 31);
      literals = 0;
      op++;
    }
  }
  if (literals == 0) return <i32>(op - 1 - to);
  store<u8>(op - literals - 1, literals - 1);
  return <i32>(op - to);
}
