// XINFO STREAM tells how many nodes Redis' radix tree would have for a stream. There is no such tree here; the number
// follows from the keys: 16 bytes each, big-endian ids of the stream's nodes.

import type { IdIndex } from './id-index.ts';
import { StreamId } from './stream-id.ts';

const KEY_BYTES = 16;

/**
 * Number of nodes of a compressed radix tree over the index' ids: one per leaf, one per branching, one per run of bytes
 * without branching. O(ids).
 */
export function radixNodes(index: IdIndex): number {
  if (!index.first()) return 1;
  const previous = new StreamId();
  const id = new StreamId();
  index.readId(previous);
  let nodes = 1;
  /** Depths of the branchings above the last leaf, from the root down. */
  const branchings: number[] = [];
  while (index.next()) {
    const depth = commonBytes(previous, index.readId(id));
    nodes++;
    // The last leaf's path is complete below the new branching: count its runs.
    let below = KEY_BYTES;
    while (branchings.length > 0 && branchings[branchings.length - 1] > depth) {
      const branching = branchings.pop()!;
      nodes += runBetween(branching, below) + 1;
      below = branching;
    }
    if (branchings[branchings.length - 1] === depth) {
      nodes += runBetween(depth, below);
    } else {
      nodes += runBetween(depth, below);
      branchings.push(depth);
    }
    previous.set(id);
  }
  let below = KEY_BYTES;
  while (branchings.length > 0) {
    const branching = branchings.pop()!;
    nodes += runBetween(branching, below) + 1;
    below = branching;
  }
  return nodes + (below > 0 ? 1 : 0);
}

/** Whether there are bytes without branching between a branching at one depth and what comes at another. */
function runBetween(branching: number, below: number): number {
  return below > branching + 1 ? 1 : 0;
}

/** Bytes at the start that two ids share. */
function commonBytes(a: StreamId, b: StreamId): number {
  const words = [
    a.msHigh ^ b.msHigh,
    a.msLow ^ b.msLow,
    a.sequenceHigh ^ b.sequenceHigh,
    a.sequenceLow ^ b.sequenceLow,
  ];
  const at = words.findIndex((word) => word !== 0);
  return at < 0 ? KEY_BYTES : at * 4 + (Math.clz32(words[at]) >>> 3);
}
