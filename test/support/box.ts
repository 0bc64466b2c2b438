// Boots a real init in a throw-away box (box.sh) and runs commands in it.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface BoxResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Box {
  /** Runs a program in the box, as root. */
  exec(command: readonly string[], input?: string): Promise<BoxResult>;
  /** A script for sh, with arguments. */
  sh(script: string, ...args: string[]): Promise<BoxResult>;
  write(path: string, content: string, mode?: number, owner?: string): Promise<void>;
  reboot(): Promise<void>;
  stop(): Promise<void>;
}

const boxScript = fileURLToPath(new URL('box.sh', import.meta.url));
const packageRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const layerScript = fileURLToPath(new URL('init-layer.sh', import.meta.url));

/** Why no box can be booted here; undefined when one can. */
export function boxUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'boxes need Linux';
  if (process.geteuid?.() !== 0) return 'boxes need root';
  const missing = ['/usr/bin/unshare', '/usr/bin/nsenter', '/usr/bin/setpriv'].filter((path) => !existsSync(path));
  return missing.length > 0 ? `boxes need ${missing.join(', ')}` : undefined;
}

/** The root of a system with another init (`systemd`: the newer one of Debian's backports), made of packages fetched from Debian. Rejects when they cannot be had. */
export async function initLayer(kind: 'sysv' | 'openrc' | 'systemd'): Promise<string> {
  const result = await collect('bash', [layerScript, kind]);
  if (result.exitCode !== 0) throw new Error(`init-layer.sh ${kind}: ${result.stderr}`);
  return result.stdout.trim();
}

export async function startBox(name: string, root = '/', init: readonly string[] = []): Promise<Box> {
  const unique = `${name}-${process.pid}`;
  // A box has a /tmp and a /run of its own: a checkout that lies there is bound in.
  const binds = /^\/(tmp|run)\//.test(packageRoot) ? ['-b', packageRoot] : [];
  const command = [boxScript, 'start', unique, root, ...binds, ...(init.length ? ['--', ...init] : [])];
  const started = await collect('bash', command);
  if (started.exitCode !== 0) throw new Error(`box ${name}: ${started.stderr}`);
  const exec = (command: readonly string[], input = '') =>
    collect('bash', [boxScript, 'exec', unique, ...command], input);
  const checked = async (verb: string) => {
    const result = await collect('bash', [boxScript, verb, unique]);
    if (result.exitCode !== 0) throw new Error(`box ${verb} ${name}: ${result.stderr}`);
  };
  return {
    exec,
    sh: (script, ...args) => exec(['sh', '-c', script, 'sh', ...args]),
    write: async (path, content, mode = 0o644, owner = 'root:root') => {
      const script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1" && chown "$3" "$1"';
      const result = await exec(['sh', '-c', script, 'sh', path, mode.toString(8), owner], content);
      if (result.exitCode !== 0) throw new Error(`cannot write ${path}: ${result.stderr}`);
    },
    reboot: () => checked('reboot'),
    stop: () => checked('stop'),
  };
}

function collect(file: string, args: readonly string[], input = ''): Promise<BoxResult> {
  return new Promise((resolve) => {
    const child = execFile(file, [...args], { timeout: 100_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
      resolve({ exitCode: code, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
