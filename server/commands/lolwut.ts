// LOLWUT: a small drawing, a different one each time, and the version.

import type { Context } from './context.ts';

const COLUMNS_MAX = 160;
const ROWS_MAX = 60;

/** LOLWUT [VERSION n] [columns] [rows]: dunes in three densities. */
export function lolwut(c: Context): void {
  const first = c.argc > 2 && c.is(1, 'version') ? 3 : 1;
  const columns = Math.min(COLUMNS_MAX, Math.max(8, first < c.argc ? c.integer(first) : 60));
  const rows = Math.min(ROWS_MAX, Math.max(3, first + 1 < c.argc ? c.integer(first + 1) : 9));
  const phases = [0, 1, 2].map(() => c.server.random(628) / 100);
  let text = '';
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const heights = phases.map((phase, n) => (rows / 2) * (1 + Math.sin(x / (7 + 4 * n) + phase)) * (1 - n / 4));
      const layers = heights.filter((height) => rows - y <= height).length;
      text += ' .:#'[layers];
    }
    text += '\n';
  }
  text += `Redis ver. ${c.server.identity.redisVersion}\n`;
  c.reply.verbatim('txt', Buffer.from(text, 'latin1'));
}
