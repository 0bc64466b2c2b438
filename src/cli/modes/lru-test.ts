// --lru-test: simulates a cache with an 80-20 distribution over N keys and tells the hit rate every second.
import type { Session } from '../session.ts';

/** Commands sent in one go. */
const PIPELINE = 250;
const REPORT_EVERY_MS = 1000;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export async function lruTestMode(session: Session): Promise<number> {
  await session.connectOrExit();
  const { host } = session;
  const keys = Math.max(1, Number.parseInt(session.options.modeValue, 10) || 1);
  for (;;) {
    const startMs = host.nowMs();
    let hits = 0;
    let misses = 0;
    while (host.nowMs() - startMs < REPORT_EVERY_MS) {
      const names = Array.from({ length: PIPELINE }, () => `lru:${powerLawBelow(keys)}`);
      await Promise.all(names.map((name) => session.call('SET', name, randomLetters(), 'NX').then(() => {})));
      const replies = await Promise.all(
        Array.from({ length: PIPELINE }, () => session.call('GET', `lru:${powerLawBelow(keys)}`)),
      );
      for (const reply of replies) {
        if (reply.kind === 'nil') misses++;
        else if (reply.kind === 'bulk') hits++;
      }
    }
    const total = hits + misses;
    host.write(
      `${total} Gets/sec | Hits: ${hits} (${share(hits, total)}%) | Misses: ${misses} (${share(misses, total)}%)\n`,
    );
  }
}

/** A number from 0 to `max` - 1 of which a fifth gets four fifths of the draws. */
function powerLawBelow(max: number): number {
  // The exponent that gives the 80-20 rule.
  const exponent = 6.2;
  const drawn = Math.floor((((max + 1) ** (exponent + 1) - 1) * Math.random() + 1) ** (1 / (exponent + 1)));
  return Math.max(0, max - drawn);
}

function randomLetters(): string {
  let text = '';
  for (let i = 0; i < 10; i++) text += LETTERS[Math.floor(Math.random() * LETTERS.length)];
  return text;
}

function share(part: number, whole: number): string {
  return (whole === 0 ? 0 : (100 * part) / whole).toFixed(2);
}
