import { describe, expect, it } from 'vitest';
import { type AofManifest, formatManifest, parseManifest } from '../../../../server/formats/aof/manifest.ts';

const text = [
  'file appendonly.aof.2.base.rdb seq 2 type b',
  'file appendonly.aof.1.incr.aof seq 1 type h',
  'file appendonly.aof.2.incr.aof seq 2 type i',
  'file "with \\"quotes\\" and \\xfc.aof" seq 3 type i',
  '',
].join('\n');

const manifest: AofManifest = {
  base: { name: 'appendonly.aof.2.base.rdb', sequence: 2, type: 'base' },
  history: [{ name: 'appendonly.aof.1.incr.aof', sequence: 1, type: 'history' }],
  incr: [
    { name: 'appendonly.aof.2.incr.aof', sequence: 2, type: 'incr' },
    { name: 'with "quotes" and \xfc.aof', sequence: 3, type: 'incr' },
  ],
};

describe('AOF manifest', () => {
  it('is read and written', () => {
    expect(parseManifest(text)).toEqual(manifest);
    expect(formatManifest(manifest)).toBe(text);
    expect(parseManifest('# nothing but this\n')).toEqual({ base: null, incr: [], history: [] });
    expect(parseManifest('type i SEQ 7 File x\n').incr).toEqual([{ name: 'x', sequence: 7, type: 'incr' }]);
  });

  it.each([
    ['', 'Found an empty AOF manifest', null],
    ['file a seq 1 type b', 'The AOF manifest file contains too long line', null],
    [`file ${'a'.repeat(1100)} seq 1 type b\n`, 'The AOF manifest file contains too long line', null],
    ['\n', 'Invalid AOF manifest file format', 1],
    ['#\nfile a seq 1\n', 'Invalid AOF manifest file format', 2],
    ['file a seq 0 type b\n', 'Invalid AOF manifest file format', 1],
    ['file "a seq 1 type b\n', 'Invalid AOF manifest file format', 1],
    ['file a seq 1 type x\n', 'Unknown AOF file type', 1],
    ['file a/b seq 1 type b\n', "File can't be a path, just a filename", 1],
    ['file a seq 1 type b\nfile b seq 2 type b\n', 'Found duplicate base file information', 2],
    ['file a seq 2 type i\nfile b seq 2 type i\n', 'Found a non-monotonic sequence number', 2],
  ])('refuses %j', (wrong, message, line) => {
    expect(() => parseManifest(wrong)).toThrow(expect.objectContaining({ message, line }));
  });
});
