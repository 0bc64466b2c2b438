// The built programs on the Node that runs this: server, client, benchmark and checkers do their ordinary work once.
// Used by CI with the newest Node; the tests proper run on the oldest.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const bin = (name) => resolve(`dist/bin/${name}.js`);
const directory = mkdtempSync(join(tmpdir(), 'smoke-'));
const port = await freePort();
const server = spawn(
  process.execPath,
  [bin('tsredis-server'), '--port', String(port), '--dir', directory, '--save', ''],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
try {
  await until(server.stdout, 'Ready to accept connections');
  expect(cli('PING'), 'PONG');
  expect(cli('SET', 'city', 'Nassau'), 'OK');
  expect(cli('RPUSH', 'list', 'a', 'b'), '2');
  expect(cli('ZADD', 'board', '1', 'x'), '1');
  expect(cli('SAVE'), 'OK');
  run('tsredis-benchmark', '-p', String(port), '-q', '-t', 'set,get', '-n', '10000', '-P', '16');
  run('tsredis-check-rdb', join(directory, 'dump.rdb'));
  console.log(`smoke test passed on Node ${process.versions.node}`);
} finally {
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
  rmSync(directory, { recursive: true, force: true });
}

function run(name, ...args) {
  return execFileSync(process.execPath, [bin(name), ...args], { encoding: 'utf8' });
}

function cli(...args) {
  return run('tsredis-cli', '-p', String(port), ...args).trim();
}

function expect(got, wanted) {
  if (got !== wanted) throw new Error(`expected ${wanted}, got ${got}`);
}

async function until(stream, text) {
  let seen = '';
  for await (const chunk of stream) {
    seen += chunk;
    if (seen.includes(text)) return;
  }
  throw new Error(`the server ended before it was ready:\n${seen}`);
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address();
      probe.close(() => done(free));
    });
  });
}
