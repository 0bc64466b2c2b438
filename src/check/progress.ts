// A progress bar on standard error, for people who watch a long check: it appears after a second, never in pipes and logs.

import type { CheckIo } from './io.ts';

const APPEARS_AFTER_MS = 1000;

export class Progress {
  readonly #io: CheckIo;
  readonly #startedMs: number;
  readonly #name: string;
  readonly #size: number | null;
  #bar: { update(value: number): void; stop(): void } | undefined;

  /** `size` null: the length is unknown, and there is no bar. */
  constructor(io: CheckIo, name: string, size: number | null) {
    this.#io = io;
    this.#name = name;
    this.#size = size;
    this.#startedMs = io.nowMs();
  }

  /** Call now and then with the bytes read so far. */
  async at(position: number): Promise<void> {
    if (!this.#io.stderrIsTerminal || this.#size === null) return;
    if (this.#bar === undefined) {
      if (this.#io.nowMs() - this.#startedMs < APPEARS_AFTER_MS) return;
      await this.#show(this.#size);
    }
    this.#bar?.update(Math.round(position / 1048576));
  }

  /** Removes the bar, until at() is called again. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  async #show(size: number): Promise<void> {
    const { SingleBar, Presets } = (await import('cli-progress')).default;
    const format = `${this.#name.replace(/[^ -~]/g, '?')} {bar} {percentage}% | {value}/{total} MiB | {eta_formatted} left`;
    const bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true, fps: 5 }, Presets.shades_classic);
    bar.start(Math.max(1, Math.round(size / 1048576)), 0);
    this.#bar = bar;
  }
}
