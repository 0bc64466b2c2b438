// Installs the packages of a fresh clone, for npm start and npm test. Uses node: builtins only: it runs before npm ci.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

/** The same lower limit as package.json's engines. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 17)) return;
  fail(`Node 20.17 or later is needed; this is ${process.versions.node}`);
}

/** Runs npm ci unless what it installs is there and as new as the lock file. Returns whether it did. */
export function installPackages() {
  const mark = 'node_modules/.package-lock.json';
  if (existsSync(mark) && modified(mark) >= modified('package-lock.json')) return false;
  console.log('Installing packages (npm ci) ...');
  run('npm', ['ci', '--no-audit', '--no-fund']);
  return true;
}

/** Runs a program with its output shown; when it fails, so do we, with its status. */
export function run(file, args) {
  const result = spawnSync(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error) fail(`${file} cannot be run: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** When a file last changed, ms; 0 when it is not there. */
export function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

export function fail(message) {
  console.error(message);
  process.exit(1);
}
