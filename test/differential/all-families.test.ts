// All families beside a real redis-server: commands made from the command table, with every option, valid and not, in
// both protocols and in transactions; then every key's type, encoding, expiry and dump.
//
// npm test runs a short one. The long one: TSREDIS_DIFFERENTIAL_COMMANDS=200000 npx vitest run test/differential/all-families.test.ts
// (TSREDIS_DIFFERENTIAL_SEED=7 for other commands).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drive } from './support/drive.ts';
import { Generator } from './support/generate.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();
const COMMANDS = Number(process.env['TSREDIS_DIFFERENTIAL_COMMANDS'] ?? 20_000);
const SEED = Number(process.env['TSREDIS_DIFFERENTIAL_SEED'] ?? 1);
/** Small limits, so that values convert. */
const SETTINGS = [
  ['hash-max-listpack-entries', '12'],
  ['zset-max-listpack-entries', '12'],
  ['set-max-intset-entries', '12'],
  ['list-max-listpack-size', '8'],
  ['stream-node-max-entries', '6'],
] as const;

describe.skipIf(missing !== null)(missing ?? 'all families, beside redis-server', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair(SETTINGS);
  });
  afterAll(async () => {
    await pair.stop();
  });

  it(`gives the same replies to ${COMMANDS} commands`, { timeout: 60_000 + COMMANDS }, async () => {
    const differences = await drive(pair, new Generator(SEED), COMMANDS);
    expect(differences.join('\n\n')).toBe('');
  });
});
