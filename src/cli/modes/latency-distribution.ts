// --latency-dist: every second one line of coloured marks, each a latency band, as bright as it is frequent.
import { CliExit } from '../host.ts';
import type { Session } from '../session.ts';

/** Upper bounds in microseconds and the mark of each band. */
const BANDS: readonly (readonly [number, string])[] = [
  [10, '.'],
  [125, '-'],
  [250, '*'],
  [500, '#'],
  ...Array.from({ length: 9 }, (_, i) => [(i + 1) * 1000, String(i + 1)] as const),
  ...[...'ABCDE'].map((mark, i) => [(i + 1) * 10_000, mark] as const),
  ...[...'FGHIJ'].map((mark, i) => [(i + 1) * 100_000, mark] as const),
  ...[...'KLMNOPQ'].map((mark, i) => [[1, 2, 4, 8, 16, 30, 60][i]! * 1_000_000, mark] as const),
  [Number.POSITIVE_INFINITY, '?'],
];

/** Colours of the 256-colour terminal, from never to always. */
const PALETTE = [0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 144, 143, 142, 184, 226, 214, 208, 202, 196];
const LEGEND_EVERY = 20;
const RULE = '---------------------------------------------\n';

export async function latencyDistributionMode(session: Session): Promise<number> {
  await session.connectOrExit();
  const { host, options } = session;
  const periodMs = (options.intervalSeconds || 1) * 1000;
  for (let line = 0; ; line++) {
    if (line % LEGEND_EVERY === 0) host.write(legend());
    const counts = BANDS.map(() => 0);
    const startMs = host.nowMs();
    let samples = 0;
    do {
      if (!(await session.ensureConnected())) throw new CliExit(1);
      const sentMs = host.nowMs();
      await session.call('PING');
      const microseconds = (host.nowMs() - sentMs) * 1000;
      counts[BANDS.findIndex(([upTo]) => microseconds <= upTo)]!++;
      samples++;
      await host.waitMs(1);
    } while (host.nowMs() - startMs < periodMs);
    host.write(`${counts.map((count, i) => cell(count / samples, BANDS[i]![1])).join('')}\x1b[0m\n`);
  }
}

function legend(): string {
  const scale = PALETTE.map((color) => `\x1b[48;5;${color}m `).join('');
  return `${RULE}. - * #          .01 .125 .25 .5 milliseconds
1,2,3,...,9      from 1 to 9     milliseconds
A,B,C,D,E        10,20,30,40,50  milliseconds
F,G,H,I,J        .1,.2,.3,.4,.5       seconds
K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds
From 0 to 100%: ${scale}\x1b[0m\n${RULE}`;
}

function cell(share: number, mark: string): string {
  const color = PALETTE[Math.ceil(share * (PALETTE.length - 1))]!;
  return `\x1b[38;5;0m\x1b[48;5;${color}m${mark}`;
}
