// oom-score-adj: how willingly the kernel ends this process when memory runs out. Linux only.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Server } from './server.ts';

const PATH = '/proc/self/oom_score_adj';
const SCORE_MIN = -1000;
const SCORE_MAX = 1000;
const FAILED = 'Failed to apply new oom_score_adj configuration, check server logs.';

export class OomScore {
  private readonly server: Server;
  /** The score from before the first change; null while it is untouched. */
  private original: number | null = null;

  constructor(server: Server) {
    this.server = server;
  }

  /** Sets the score that the directives ask for, or the original one; gives the reason when the kernel refuses. */
  apply(): string | undefined {
    const { oomScoreAdj: mode, oomScoreAdjValues: values } = this.server.settings;
    if (mode === 'no' && this.original === null) return undefined;
    try {
      const original = this.original ?? Number(readFileSync(PATH, 'latin1'));
      const wanted = Number(this.server.identity.role === 'replica' ? values[1] : values[0]);
      const score = mode === 'no' ? original : mode === 'absolute' ? wanted : original + wanted;
      writeFileSync(PATH, String(Math.min(SCORE_MAX, Math.max(SCORE_MIN, score))));
      this.original = mode === 'no' ? null : original;
      return undefined;
    } catch (error) {
      this.server.log('warning', `Unable to write oom_score_adj: ${(error as Error).message}`);
      return FAILED;
    }
  }
}
