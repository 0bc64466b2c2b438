// npm run test:conformance: Redis' own Tcl test files (Debian's source package of 7.0.15) against this server.
//
//   --quick            only the files marked quick in expected.tsv (minutes, for CI)
//   --all              every file of expected.tsv (the default)
//   --only A,B         only these files (unit/expire,integration/rdb)
//   --mode external    only the files that talk to a server we start; internal: only those that start servers themselves
//   --own-tools        our client, benchmark and checkers in place of the distribution's
//   --update           writes what passed into expected.tsv where it is more
//   --jobs N           files at once (2)
//
// Exit 0: every file passes at least what expected.tsv records, or the suite can't run here (the reason is printed).
// Exit 1: a file passes less; the tests that failed and are not in known-failures.md are named.
// TSREDIS_SUITE_DIR holds the fetched package between runs; TSREDIS_SERVER names another build of the server.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { $, which } from 'zx';
import { knownFailures, notRun, parseExpected, renderExpected, renderTable, select, verdicts } from './report.mjs';

const HERE = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname);
const EXPECTED = join(HERE, 'expected.tsv');
const CEILING = join(HERE, 'ceiling-7.0.15.tsv');
const SUITE = process.env.TSREDIS_SUITE_DIR ?? join(tmpdir(), 'tsredis-suite');
const SERVER = resolve(process.env.TSREDIS_SERVER ?? join(HERE, '../../dist/bin/tsredis-server.js'));
const MODES = ['external', 'internal'];
/** What decides between the encodings of Redis 7.0 and 7.2. */
const ENCODINGS = ['--set-max-listpack-entries', '0'];
const OWN_TOOLS = {
  'redis-cli': 'tsredis-cli',
  'redis-benchmark': 'tsredis-benchmark',
  'redis-check-aof': 'tsredis-check-aof',
  'redis-check-rdb': 'tsredis-check-rdb',
};

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    only: { type: 'string' },
    mode: { type: 'string' },
    'own-tools': { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
  },
});

const obstacle = await whatIsMissing();
if (obstacle !== null) {
  console.log(`conformance tests skipped: ${obstacle}`);
  process.exit(0);
}
const expected = parseExpected(await readFile(EXPECTED, 'utf8'), await readFile(CEILING, 'utf8'));
const chosen = select(expected, options);
const failures = await readFile(join(HERE, 'known-failures.md'), 'utf8');
/** Options of the suite, in the shell's quoting. */
const SKIPPED = notRun(failures);
const SKIPS = SKIPPED.map((name) => `--skiptest '${name.replaceAll("'", `'\\''`)}'`);
if (chosen.length === 0) fail('no file of expected.tsv fits these options');
const directory = await mkdtemp(join(tmpdir(), 'tsredis-conformance-'));
try {
  await main();
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function main() {
  const programs = await writePrograms();
  const known = knownFailures(failures);
  let rows = await runAll(programs, chosen);
  const short = rows.filter((row) => row.passed < row.expected);
  if (short.length > 0) {
    // A busy machine fails tests that measure time: a file counts as worse only when it is worse twice.
    console.log(`\nonce more, one at a time: ${short.map((row) => row.unit).join(' ')}`);
    const again = await runAll(programs, short, '1');
    rows = rows.map((row) => again.find((other) => other.unit === row.unit && other.passed > row.passed) ?? row);
  }
  console.log(`\n${renderTable(rows)}`);
  const { short: fallen, text } = verdicts(rows, known, SKIPPED);
  if (text !== '') console.log(`\n${text}`);
  if (options.update) await writeFile(EXPECTED, renderExpected(expected, rows));
  process.exitCode = fallen > 0 ? 1 : 0;
}

async function runAll(programs, files, jobs = options.jobs) {
  const rows = [];
  for (const mode of MODES) {
    const wanted = files.filter((file) => file.mode === mode);
    if (wanted.length > 0) rows.push(...(await runMode(programs, mode, wanted, jobs)));
  }
  return rows;
}

async function runMode(programs, mode, files, jobs) {
  console.log(`\n${files.length} files, ${mode} mode: passed, failed, skipped, aborted, hangs, seconds`);
  const out = join(directory, `${mode}-${Date.now()}.tsv`);
  const env = {
    ...process.env,
    TREE: join(SUITE, 'redis-7.0.15'),
    WORKROOT: join(directory, 'work'),
    MODE: mode,
    JOBS: jobs,
    CEILING: '',
    FILE_TIMEOUT: '600',
    IDLE_TIMEOUT: '120',
    RUNTEST_ARGS: [...(mode === 'external' ? ['--tags -slow'] : []), ...SKIPS].join(' '),
  };
  const units = files.map((file) => file.unit).join(',');
  const run = $({ env, nothrow: true, quiet: true })`${join(HERE, 'run-tcl-suite.sh')} ${programs} ${units} ${out}`;
  run.stdout.on('data', (chunk) => process.stdout.write(chunk));
  run.stderr.on('data', (chunk) => process.stderr.write(chunk));
  await run;
  const results = (await readFile(out, 'utf8')).split('\n').map((line) => line.split('\t'));
  const tests = (await readFile(`${out}.tests`, 'latin1')).split('\n').map((line) => line.split('\t'));
  return files.map((file) => {
    const result = results.find((fields) => fields[0] === file.unit) ?? [file.unit, '0', '0', '0', '1', '0', '0'];
    const failed = tests.filter((test) => test[0] === file.unit && (test[1] === 'err' || test[1] === 'exception'));
    return {
      ...file,
      passed: Number(result[1]),
      aborted: result[4] !== '0',
      seconds: Number(result[6]),
      note: result[7] ?? '',
      failed: failed.map((test) => test.slice(3).join('\t')),
    };
  });
}

/** A directory with the six programs under the names that the suite starts. Each execs, so that the process id stays. */
async function writePrograms() {
  const bin = join(directory, 'bin');
  await $`mkdir ${bin}`;
  await script(join(bin, 'redis-server'), [process.execPath, SERVER], ENCODINGS);
  for (const name of ['redis-cli', 'redis-benchmark', 'redis-check-aof', 'redis-check-rdb', 'redis-sentinel']) {
    const own = join(dirname(SERVER), `${OWN_TOOLS[name]}.js`);
    if (options['own-tools'] && existsSync(own)) await script(join(bin, name), [process.execPath, own], []);
    else await $`ln -s ${join(SUITE, 'bin', name)} ${join(bin, name)}`;
  }
  return bin;
}

async function script(path, before, after) {
  const words = (list) => list.map((word) => `'${word}'`).join(' ');
  await writeFile(path, `#!/bin/sh\nexec ${words(before)} "$@" ${words(after)}\n`, { mode: 0o755 });
}

/** Why the suite can't run here, or null when it is fetched and everything is there. */
async function whatIsMissing() {
  if (!existsSync(SERVER)) fail(`${SERVER} is missing: run npm run build`);
  const tcl = (await which('tclsh8.6', { nothrow: true })) ?? (await which('tclsh', { nothrow: true }));
  if (tcl === null) return 'tclsh is missing (apt-get install tcl)';
  if ((await which('ps', { nothrow: true })) === null) return 'ps is missing (apt-get install procps)';
  if (existsSync(join(SUITE, 'redis-7.0.15/tests')) && existsSync(join(SUITE, 'bin/redis-server'))) return null;
  if ((await which('apt-get', { nothrow: true })) === null) return 'apt-get is missing: the tests are a Debian package';
  console.log(`fetching Debian's source package of redis 7.0.15 into ${SUITE}`);
  const fetched = await $({ nothrow: true, quiet: true })`${join(HERE, 'get-suite.sh')} ${SUITE}`;
  return fetched.exitCode === 0 ? null : `Debian's source package could not be fetched: ${fetched.stderr.trim()}`;
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
