// Bundles bench/main.ts and runs it: npm run bench -- --help
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { build } from 'esbuild';

mkdirSync('.cache', { recursive: true });
await build({
  entryPoints: ['bench/main.ts'],
  outfile: '.cache/bench.mjs',
  bundle: true,
  platform: 'node',
  target: 'node20.17',
  format: 'esm',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['.cache/bench.mjs', ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
