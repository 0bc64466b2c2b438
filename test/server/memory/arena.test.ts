import { afterEach, describe, expect, it, vi } from 'vitest';
import { Arena, ArenaFullError, OFFSET_MASK, SEGMENT_SHIFT } from '../../../server/memory/arena.ts';
import { Generator } from '../../differential/support/generate.ts';

const bytesAt = (arena: Arena, address: number, length: number) => {
  const start = (address & OFFSET_MASK) << 3;
  return arena.bytes[address >>> SEGMENT_SHIFT].subarray(start, start + length);
};

describe('Arena', () => {
  it('gives every block its own bytes, whatever is allocated and freed in between', () => {
    const arena = new Arena();
    const random = new Generator(1);
    const blocks: { address: number; size: number; mark: number }[] = [];
    for (let step = 0; step < 20_000; step++) {
      if (blocks.length > 0 && random.once(2)) {
        const [block] = blocks.splice(random.below(blocks.length), 1);
        expect(bytesAt(arena, block.address, block.size).every((byte) => byte === block.mark)).toBe(true);
        arena.free(block.address, block.size);
      } else {
        const size = random.once(200)
          ? 300_000 + random.below(300_000)
          : 1 + random.below(random.pick([16, 100, 4000]));
        const address = arena.alloc(size);
        expect(address).not.toBe(0);
        const mark = random.below(256);
        bytesAt(arena, address, size).fill(mark);
        blocks.push({ address, size, mark });
      }
    }
    for (const { address, size } of blocks) arena.free(address, size);
    expect(arena.usedBytes).toBe(0);
  });

  it('uses freed blocks again instead of growing', () => {
    const arena = new Arena();
    const cycle = () => {
      const addresses = Array.from({ length: 1000 }, (_, i) => arena.alloc(40 + (i % 7) * 8));
      for (const [i, address] of addresses.entries()) arena.free(address, 40 + (i % 7) * 8);
    };
    cycle();
    const before = arena.segmentBytes;
    for (let i = 0; i < 50; i++) cycle();
    expect(arena.segmentBytes).toBe(before);
  });

  it('wastes at most a quarter of a block above 512 bytes and 7 bytes below', () => {
    const arena = new Arena();
    for (let size = 1; size < 262_144; size += size < 600 ? 1 : 97) {
      const capacity = arena.capacity(size);
      expect(capacity).toBeGreaterThanOrEqual(size);
      expect(capacity).toBeLessThanOrEqual(size <= 512 ? size + 7 : size * 1.25 + 8);
    }
  });

  it('lets a block grow in place only while it can still be freed by its size', () => {
    const arena = new Arena();
    const address = arena.alloc(33);
    expect(arena.fits(address, 33, 40)).toBe(true);
    expect(arena.fits(address, 33, 41)).toBe(false);
    expect(arena.fits(address, 33, 8)).toBe(false);
    const big = arena.alloc(1_000_000);
    expect(arena.fits(big, 1_000_000, 1_000_100)).toBe(true);
    expect(arena.fits(big, 1_000_000, 100)).toBe(false);
  });

  it('gives the memory of big blocks back at once, and all of it on reset', () => {
    const arena = new Arena();
    arena.alloc(10);
    const before = arena.segmentBytes;
    const big = arena.alloc(5_000_000);
    expect(arena.segmentBytes).toBeGreaterThan(before + 4_999_999);
    arena.free(big, 5_000_000);
    expect(arena.segmentBytes).toBe(before);
    arena.reset();
    expect(arena.segmentBytes).toBe(0);
    expect(arena.usedBytes).toBe(0);
  });

  it('starts again in the same memory after little, and gives more back', () => {
    const arena = new Arena();
    arena.alloc(10);
    const { buffer } = arena.bytes[0];
    arena.reset();
    arena.alloc(10);
    expect(arena.bytes[0].buffer).toBe(buffer);
    for (let i = 0; i < 50; i++) arena.alloc(200_000);
    arena.reset();
    arena.alloc(10);
    expect(arena.bytes[0].buffer).not.toBe(buffer);
  });

  describe('where the system promises little memory', () => {
    afterEach(() => {
      vi.unstubAllGlobals();
    });

    const limitBuffers = (bytesMax: number) => {
      const Unlimited = ArrayBuffer;
      class Limited extends Unlimited {
        constructor(bytes: number) {
          if (bytes > bytesMax) throw new RangeError('Array buffer allocation failed');
          super(bytes);
        }
      }
      vi.stubGlobal('ArrayBuffer', Limited);
    };

    it('asks for less at a time', () => {
      limitBuffers(3 << 20);
      const arena = new Arena();
      for (let i = 0; i < 50; i++) arena.alloc(200_000);
      expect(arena.segmentBytes).toBeGreaterThanOrEqual(50 * 200_000);
    });

    it('says that it is full when there is none', () => {
      limitBuffers(0);
      expect(() => new Arena().alloc(10)).toThrow(ArenaFullError);
      expect(() => new Arena().alloc(5_000_000)).toThrow(ArenaFullError);
    });
  });
});
