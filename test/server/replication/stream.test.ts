// The stream of writes: what is kept, where a replica finds its place, and which histories go on.

import { describe, expect, it } from 'vitest';
import { History } from '../../../server/replication/history.ts';
import { BLOCK_BYTES, ReplicationStream } from '../../../server/replication/stream.ts';

const words = (...text: string[]) => text.map((word) => Buffer.from(word));

function streamWith(neededFrom: () => number = () => Number.POSITIVE_INFINITY): ReplicationStream {
  const stream = new ReplicationStream(neededFrom, () => undefined);
  stream.start(0);
  return stream;
}

/** Everything from `offset` on. */
function read(stream: ReplicationStream, offset: number): string {
  let text = '';
  for (let block = stream.blockAt(offset), at = offset; block !== null; block = block.next) {
    text += block.bytes.toString('latin1', at - block.start, block.used);
    at = block.start + block.used;
  }
  return text;
}

describe('the replication stream', () => {
  it('brings a SELECT where the database changes, and none for commands of no database', () => {
    const stream = streamWith();
    stream.command(2, words('SET', 'a', '1'));
    stream.command(-1, words('PING'));
    stream.command(2, words('DEL', 'a'));
    stream.selectAnew();
    stream.command(2, words('DEL', 'b'));
    expect(read(stream, 0).match(/SELECT|SET|PING|DEL/g)).toEqual(['SELECT', 'SET', 'PING', 'DEL', 'SELECT', 'DEL']);
    expect(stream.offset).toBe(read(stream, 0).length);
  });

  it('gives the rest from any offset, over the ends of blocks', () => {
    const stream = streamWith();
    for (let i = 0; i < 500; i++) stream.command(0, words('SET', `key${i}`, 'v'.repeat(i)));
    const all = read(stream, 0);
    for (const offset of [1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, all.length - 1, all.length]) {
      expect(read(stream, offset)).toBe(all.slice(offset));
    }
  });

  it('keeps the backlog and what a replica still needs, and lets the rest go', () => {
    let needed = Number.POSITIVE_INFINITY;
    const stream = streamWith(() => needed);
    stream.backlogBytesMax = BLOCK_BYTES;
    needed = 0;
    for (let i = 0; i < 100; i++) stream.command(0, words('SET', 'key', 'v'.repeat(1000)));
    stream.trim();
    expect(stream.firstOffset).toBe(0);
    needed = Number.POSITIVE_INFINITY;
    stream.trim();
    expect(stream.firstOffset).toBeGreaterThan(0);
    expect(stream.historyBytes).toBeGreaterThanOrEqual(BLOCK_BYTES);
    expect(stream.memoryBytes).toBeLessThanOrEqual(3 * BLOCK_BYTES);
  });
});

describe('a history', () => {
  const ids = () => {
    let next = 0;
    return () => String(next++).repeat(40);
  };

  it('goes on for a replica that has part of it, and says why not for others', () => {
    const history = new History(ids());
    const stream = streamWith();
    stream.command(0, words('SET', 'a', '1'));
    const { id } = history;
    expect(history.refusal('r', id, 1, stream)).toBeNull();
    expect(history.refusal('r', id, stream.offset + 1, stream)).toBeNull();
    expect(history.refusal('r', id, stream.offset + 2, stream)).toMatch(/lack of backlog/);
    expect(history.refusal('r', 'x'.repeat(40), 1, stream)).toMatch(/Replication ID mismatch/);
    expect(history.refusal('r', '?', -1, stream)).toMatch(/Full resync requested/);
  });

  it('is known under its old name up to where the new one began', () => {
    const history = new History(ids());
    const stream = streamWith();
    stream.command(0, words('SET', 'a', '1'));
    const { id } = history;
    const end = stream.offset;
    history.branch(end);
    stream.command(0, words('SET', 'b', '1'));
    expect(history.id).not.toBe(id);
    expect(history.refusal('r', id, end + 1, stream)).toBeNull();
    expect(history.refusal('r', id, end + 2, stream)).toMatch(/second ID/);
    expect(history.refusal('r', history.id, end + 2, stream)).toBeNull();
  });
});
