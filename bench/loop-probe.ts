// Looks at a server's event loop from inside: how long the main thread computes between two turns of a timer of a
// millisecond. Time in which somebody else had the core does not count, so other work on the machine is not taken for a
// pause. For servers that are a Node.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The start is over by then. */
export const PROBE_FROM_MS = 3000;

/** Preloaded by the server; writes the longest time so far to a file, ms. */
const PROBE = `
const { openSync, readSync, writeFileSync } = require('node:fs');
const schedstat = openSync('/proc/self/task/' + process.pid + '/schedstat', 'r');
const text = Buffer.alloc(64);
const computedMs = () => Number(text.latin1Slice(0, readSync(schedstat, text, 0, 64, 0)).split(' ')[0]) / 1e6;
let last = 0;
let longest = 0;
const look = () => {
  const now = computedMs();
  if (last > 0 && now - last > longest) {
    longest = now - last;
    writeFileSync(process.env.TSREDIS_LOOP_PROBE, String(longest));
  }
  last = computedMs();
  setTimeout(look, 1).unref();
};
setTimeout(look, ${PROBE_FROM_MS}).unref();
`;

export interface LoopProbe {
  /** The server's command with the probe in it. */
  command: readonly string[];
  /** What the probe has seen so far, ms. */
  longestMs(): number;
}

/** Puts a probe into the command `node PROGRAM ...`; undefined for other programs. */
export function probeLoop([program, ...args]: readonly string[], directory: string): LoopProbe | undefined {
  if (program !== process.execPath && program !== 'node') return undefined;
  const file = join(directory, 'loop-probe.cjs');
  const result = join(directory, 'loop-probe.txt');
  writeFileSync(file, PROBE);
  return {
    command: ['env', `TSREDIS_LOOP_PROBE=${result}`, program, '--require', file, ...args],
    longestMs: () => Number(readFileSync(result, 'latin1')),
  };
}
