// npm start: from a fresh clone to one running instance. Installs and builds what is missing, sets the instance up without
// a question, asks it for a PONG. Run again, it finds everything done. Uses node: builtins only: it runs before npm ci.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkNode, fail, installPackages, modified, run as runShown } from './packages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PORT_FIRST = 6379;
const PORTS_TRIED = 100;

process.chdir(root);
checkNode();
const installed = installPackages();
const built = installed || isBuildStale() ? build() : false;
const port = await choosePort();
setUp(port);
ping(port);
tellNext(port);

function isBuildStale() {
  const output = 'dist/bin/tsredis-setup.js';
  if (!existsSync(output)) return true;
  const sources = ['server', 'src', 'scripts/build.mjs', 'package.json'];
  return Math.max(...sources.map(newest)) > modified(output);
}

function build() {
  console.log('Building ...');
  runShown(process.execPath, ['scripts/build.mjs']);
  return true;
}

/** The port of the instance that is there, else the first free one. */
async function choosePort() {
  const status = spawnSync(process.execPath, ['dist/bin/tsredis.js', 'service', 'status', '--json'], {
    encoding: 'utf8',
  });
  const known = parse(status.stdout).filter((instance) => isMine(instance.conf));
  const own = known.find((instance) => instance.port === PORT_FIRST) ?? known[0];
  if (own !== undefined) return own.port;
  for (let port = PORT_FIRST; port < PORT_FIRST + PORTS_TRIED; port++) {
    if (!(await isFree(port))) continue;
    if (port !== PORT_FIRST)
      console.log(`Port ${PORT_FIRST} is taken by another program, so this instance gets ${port}.`);
    return port;
  }
  return fail(`npm start: no port from ${PORT_FIRST} to ${PORT_FIRST + PORTS_TRIED - 1} is free`);
}

/** Root's instances are the system's; anybody else's are in directories of their own. */
function isMine(conf) {
  const places = [process.env.XDG_CONFIG_HOME, join(homedir(), '.config')].filter(Boolean);
  const isPersonal = places.some((place) => conf.startsWith(`${place}/`));
  return isPersonal !== (process.geteuid?.() === 0);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}

function setUp(port) {
  console.log(`Setting up an instance on port ${port} ${built ? 'on the server just built' : ''}`.trimEnd());
  run(process.execPath, ['dist/bin/tsredis-setup.js', '--yes', '--port', String(port)], 'inherit');
}

function ping(port) {
  const { stdout } = run(process.execPath, ['dist/bin/tsredis-cli.js', '-p', String(port), 'PING'], 'pipe');
  console.log(`\nPING -> ${stdout.trim()}`);
}

function tellNext(port) {
  const isRoot = process.geteuid?.() === 0;
  const program = (name) => (isOnPath(name) ? name : `node dist/bin/${name}.js`);
  console.log(`
Try next:
  ${program('tsredis-cli')} -p ${port} SET Bahamas Nassau
  ${isRoot && existsSync(`/etc/init.d/redis_${port}`) ? `service redis_${port} status` : `${program('tsredis')} service status ${port}`}
  ${program('tsredis')} uninstall ${port}`);
}

function isOnPath(name) {
  return (process.env.PATH ?? '').split(':').some((directory) => directory !== '' && existsSync(join(directory, name)));
}

/** Runs a program; when it fails, so do we, with its status. */
function run(file, args, output) {
  const result = spawnSync(file, args, { encoding: 'utf8', stdio: ['ignore', output, 'inherit'] });
  if (result.error) fail(`npm start: ${file} cannot be run: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
  return result;
}

/** The latest change of a file or of anything below a folder. */
function newest(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return modified(path);
  const entries = readdirSync(path, { withFileTypes: true }).map((entry) => join(path, entry.name));
  return Math.max(modified(path), ...entries.map(newest));
}
