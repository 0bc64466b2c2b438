import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SHA1_BYTES, sha1 } from '../../../server/base/sha1.ts';

describe('sha1', () => {
  it('gives what node:crypto gives, for every length around the block size', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length) & 255));
      const sum = Buffer.alloc(SHA1_BYTES);
      sha1(bytes, sum);
      expect(sum.toString('hex')).toBe(createHash('sha1').update(bytes).digest('hex'));
    }
  });

  it('may write over its own input', () => {
    const bytes = Buffer.alloc(SHA1_BYTES, 7);
    const expected = createHash('sha1').update(bytes).digest('hex');
    sha1(bytes, bytes);
    expect(bytes.toString('hex')).toBe(expected);
  });
});
