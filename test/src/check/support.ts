// Runs a checker in this process, and the real one beside it where that is installed.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { CheckIo } from '../../../src/check/io.ts';

export type Outcome = { status: number; out: string; error: string };

type Run = (args: readonly string[], io: CheckIo, version: string) => Promise<number>;

/** What the program prints (byte text) and its exit status. `answers` are lines of standard input. */
export async function outcomeOf(run: Run, args: readonly string[], answers: readonly string[] = []): Promise<Outcome> {
  const left = [...answers];
  let out = '';
  let error = '';
  const io: CheckIo = {
    stderrIsTerminal: false,
    write: (text) => {
      out += text;
    },
    writeError: (text) => {
      error += text;
    },
    readLine: () => left.shift() ?? null,
    nowMs: () => Date.now(),
    randomSeed: () => 4711,
  };
  const status = await run(args, io, '1.2.3');
  return { status, out, error };
}

/** The original's outcome, or null where it is not installed. */
export function originalOutcome(program: string, args: readonly string[], input = ''): Outcome | null {
  const result = spawnSync(program, args, { encoding: 'latin1', input, timeout: 20_000 });
  if (result.error !== undefined) return null;
  return { status: result.status ?? -1, out: result.stdout, error: result.stderr };
}

/**
 * The original's output without what only C has: the source line of an error, time and process id of its log lines, and
 * the last of these.
 */
export function withoutSourceLines(text: string): string {
  return text
    .replace(/^\d+:C \d\d \w{3} \d{4} [\d:.]+ # Terminating server after rdb file reading failure\.\n/gm, '')
    .replace(/^\d+:C \d\d \w{3} \d{4} [\d:.]+ # /gm, '')
    .replace(/Internal error in RDB reading offset \d+, function at rdb\.c:\d+ -> /g, '');
}

/** A folder for the tests of one file, removed at their end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsredis-check-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
