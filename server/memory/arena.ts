// The off-heap arena: every key and value lives in fixed-size segments outside the JavaScript heap, so the collector
// never sees them and memory grows without copying.
//
// An address is one signed 32-bit number:   | segment (15 bits) | offset in units of 8 bytes (17 bits) |
// Address 0 is never handed out: it means "none". A block above BIG_BYTES has a segment of its own (any length),
// so `segment.byteLength` is its capacity and offset arithmetic is the same for every block.
// Limits: 32,768 segments, that is 32 GiB of blocks up to 256 KiB, or 32,768 bigger ones.

import { copyInto, viewOf } from '../base/bytes.ts';

const SEGMENT_BITS = 17;
const SEGMENT_BYTES = 8 << SEGMENT_BITS;
const SEGMENTS_MAX = 1 << 15;
const BIG_BYTES = SEGMENT_BYTES >>> 2;
const BIG_GRANULE = 4096;
/**
 * Segments are cut from buffers of so many bytes, which the system fills with memory as it is touched. V8 looks for garbage
 * each time that a process has made another 64 MiB of buffers, and does it in steps of up to 10 ms at every buffer it
 * makes meanwhile.
 */
const RESERVE_BYTES = SEGMENT_BYTES << 8;
/** A reset arena that was no larger starts again in the same memory: tests of applications flush all the time. */
const KEPT_BYTES_MAX = SEGMENT_BYTES << 2;
/** Block sizes up to here come in steps of 8 bytes, above in four classes per doubling (waste under 25 %, mean 10 %). */
const FINE_BYTES = 512;
const FINE_CLASSES = FINE_BYTES >>> 3;

/** Shift that turns an address into its segment's index. */
export const SEGMENT_SHIFT = SEGMENT_BITS;
/** Mask that turns an address into its offset inside the segment, in units of 8 bytes. */
export const OFFSET_MASK = (1 << SEGMENT_BITS) - 1;

/** Thrown when no segment is left; the dispatcher turns it into the OOM error. */
export class ArenaFullError extends Error {
  constructor() {
    super('the arena has no segment left');
    this.name = 'ArenaFullError';
  }
}

export class Arena {
  /** Segment bytes by index; index with `address >>> SEGMENT_SHIFT`. */
  readonly bytes: Buffer[] = [];
  /** The same segments as 32-bit words; the first word of a block is `(address & OFFSET_MASK) << 1`. */
  readonly words: Int32Array[] = [];
  /** The same segments as doubles; the first double of a block is `address & OFFSET_MASK`. */
  readonly doubles: Float64Array[] = [];
  /** The same segments for reading any four bytes at once; indexed by byte like `bytes`. */
  readonly views: DataView[] = [];
  /** Bytes in blocks handed out, counted by their class size. */
  usedBytes = 0;
  /** Bytes of all segments. */
  segmentBytes = 0;
  private readonly freeHeads = new Int32Array(128);
  private readonly freeCounts = new Int32Array(128);
  private readonly freeSegments: number[] = [];
  /** Where the next segments come from, and how much of it has been cut off. */
  private reserve = EMPTY_BUFFER;
  private reserveUsed = 0;
  private bumpAddress = 0;
  private bumpUnits = 0;

  /** The capacity of the block that an allocation of `size` bytes gets. */
  capacity(size: number): number {
    return size > BIG_BYTES ? (size + BIG_GRANULE - 1) & -BIG_GRANULE : classBytes(classOf(size));
  }

  /** Hands out a block of at least `size` bytes (contents undefined) and returns its address. */
  alloc(size: number): number {
    if (size > BIG_BYTES) return this.allocBig(size);
    const cls = classOf(size);
    const bytes = classBytes(cls);
    this.usedBytes += bytes;
    const head = this.freeHeads[cls];
    if (head !== 0) {
      this.freeHeads[cls] = this.words[head >>> SEGMENT_BITS][(head & OFFSET_MASK) << 1];
      this.freeCounts[cls]--;
      return head;
    }
    const units = bytes >>> 3;
    if (units > this.bumpUnits) this.openSegment();
    const address = this.bumpAddress;
    this.bumpAddress += units;
    this.bumpUnits -= units;
    return address;
  }

  /** Takes a block back. `size` is any size whose class is the block's (what alloc or the last in-place resize got). */
  free(address: number, size: number): void {
    if (size > BIG_BYTES) {
      this.freeBig(address);
      return;
    }
    const cls = classOf(size);
    this.usedBytes -= classBytes(cls);
    this.push(address, cls);
  }

  /** Copies `len` bytes of `from` at `start` into a block, from its byte `offset` on. They may not overlap. */
  write(address: number, offset: number, from: Uint8Array, start: number, len: number): void {
    const segment = address >>> SEGMENT_BITS;
    const at = ((address & OFFSET_MASK) << 3) + offset;
    copyInto(this.bytes[segment], this.views[segment], at, from, viewOf(from), start, len);
  }

  /** Copies `len` bytes of one block, from its byte `offset` on, to byte `target` of another. */
  copy(from: number, offset: number, len: number, to: number, target: number): void {
    const { bytes, views } = this;
    const source = from >>> SEGMENT_BITS;
    const start = ((from & OFFSET_MASK) << 3) + offset;
    const segment = to >>> SEGMENT_BITS;
    const at = ((to & OFFSET_MASK) << 3) + target;
    copyInto(bytes[segment], views[segment], at, bytes[source], views[source], start, len);
  }

  /** Whether a block that holds `from` bytes can hold `to` bytes without moving and still be freed by that size. */
  fits(address: number, from: number, to: number): boolean {
    if (from > BIG_BYTES) {
      const capacity = this.bytes[address >>> SEGMENT_BITS].byteLength;
      return to > BIG_BYTES && to <= capacity && to >= capacity >>> 2;
    }
    return to <= BIG_BYTES && classOf(from) === classOf(to);
  }

  /** Like alloc, with room to grow: a big block gets a quarter more, so that repeated appends copy rarely. */
  allocGrowing(size: number): number {
    return size > BIG_BYTES ? this.allocBig(size + (size >>> 2)) : this.alloc(size);
  }

  /** Bytes reserved from V8's point of view, and not yet a segment. */
  get reservedBytes(): number {
    return this.reserve.byteLength - this.reserveUsed;
  }

  /** Bytes lying in free lists, and the untouched rest of the current segment. */
  freeBytes(): number {
    let sum = this.bumpUnits << 3;
    for (let cls = 0; cls < this.freeCounts.length; cls++) {
      if (this.freeCounts[cls] > 0) sum += this.freeCounts[cls] * classBytes(cls);
    }
    return sum;
  }

  /** Drops every block at once. All addresses become invalid. */
  reset(): void {
    this.bytes.length = 0;
    this.words.length = 0;
    this.doubles.length = 0;
    this.views.length = 0;
    this.freeSegments.length = 0;
    if (this.segmentBytes > KEPT_BYTES_MAX) this.reserve = EMPTY_BUFFER;
    this.reserveUsed = 0;
    this.freeHeads.fill(0);
    this.freeCounts.fill(0);
    this.usedBytes = 0;
    this.segmentBytes = 0;
    this.bumpAddress = 0;
    this.bumpUnits = 0;
  }

  private push(address: number, cls: number): void {
    this.words[address >>> SEGMENT_BITS][(address & OFFSET_MASK) << 1] = this.freeHeads[cls];
    this.freeHeads[cls] = address;
    this.freeCounts[cls]++;
  }

  private openSegment(): void {
    this.salvageTail();
    if (this.reserveUsed === this.reserve.byteLength) this.makeReserve();
    const index = this.addSegment(this.reserve, this.reserveUsed, SEGMENT_BYTES);
    this.reserveUsed += SEGMENT_BYTES;
    // Unit 0 of segment 0 stays unused, so that no block has address 0.
    const skip = index === 0 ? 1 : 0;
    this.bumpAddress = (index << SEGMENT_BITS) + skip;
    this.bumpUnits = (1 << SEGMENT_BITS) - skip;
  }

  /** What is left of the current segment goes to the free lists in the largest classes that fit. */
  private salvageTail(): void {
    while (this.bumpUnits > 0) {
      const cls = floorClassOf(Math.min(this.bumpUnits << 3, BIG_BYTES));
      const units = classBytes(cls) >>> 3;
      this.push(this.bumpAddress, cls);
      this.bumpAddress += units;
      this.bumpUnits -= units;
    }
  }

  /** Less where the system does not promise so much (a limit on address space, overcommit switched off). */
  private makeReserve(): void {
    for (let bytes = RESERVE_BYTES; ; bytes /= 2) {
      const buffer = newBuffer(bytes);
      if (buffer !== null) {
        this.reserve = buffer;
        this.reserveUsed = 0;
        return;
      }
      if (bytes === SEGMENT_BYTES) throw new ArenaFullError();
    }
  }

  private addSegment(buffer: ArrayBuffer, start: number, bytes: number): number {
    const index = this.freeSegments.pop() ?? this.bytes.length;
    if (index >= SEGMENTS_MAX) throw new ArenaFullError();
    this.bytes[index] = Buffer.from(buffer, start, bytes);
    this.words[index] = new Int32Array(buffer, start, bytes >>> 2);
    this.doubles[index] = new Float64Array(buffer, start, bytes >>> 3);
    this.views[index] = new DataView(buffer, start, bytes);
    this.segmentBytes += bytes;
    return index;
  }

  private allocBig(size: number): number {
    if (this.bytes.length === 0) this.openSegment();
    const bytes = (size + BIG_GRANULE - 1) & -BIG_GRANULE;
    const buffer = newBuffer(bytes);
    if (buffer === null) throw new ArenaFullError();
    const index = this.addSegment(buffer, 0, bytes);
    this.usedBytes += bytes;
    return index << SEGMENT_BITS;
  }

  private freeBig(address: number): void {
    const index = address >>> SEGMENT_BITS;
    const bytes = this.bytes[index].byteLength;
    this.usedBytes -= bytes;
    this.segmentBytes -= bytes;
    this.bytes[index] = EMPTY_BYTES;
    this.words[index] = EMPTY_WORDS;
    this.doubles[index] = EMPTY_DOUBLES;
    this.views[index] = EMPTY_VIEW;
    this.freeSegments.push(index);
  }
}

const EMPTY_BUFFER = new ArrayBuffer(0);
const EMPTY_BYTES = Buffer.alloc(0);
const EMPTY_WORDS = new Int32Array(0);
const EMPTY_DOUBLES = new Float64Array(0);
const EMPTY_VIEW = new DataView(EMPTY_BUFFER);

/** Zeroed memory, or null when there is none. */
function newBuffer(bytes: number): ArrayBuffer | null {
  try {
    return new ArrayBuffer(bytes);
  } catch {
    return null;
  }
}

/** Class of a size: 0..63 are 8..512 bytes, then four per doubling. */
function classOf(size: number): number {
  if (size <= FINE_BYTES) return size === 0 ? 0 : (size - 1) >>> 3;
  const last = size - 1;
  const exponent = 31 - Math.clz32(last);
  return FINE_CLASSES + ((exponent - 9) << 2) + ((last >>> (exponent - 2)) & 3);
}

function classBytes(cls: number): number {
  if (cls < FINE_CLASSES) return (cls + 1) << 3;
  const step = cls - FINE_CLASSES;
  const exponent = (step >>> 2) + 9;
  return (5 + (step & 3)) << (exponent - 2);
}

/** The largest class whose blocks fit into `size` bytes (size is a multiple of 8). */
function floorClassOf(size: number): number {
  const cls = classOf(size);
  return classBytes(cls) > size ? cls - 1 : cls;
}
