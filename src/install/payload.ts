// The program as files to place: what a running package consists of, and where it goes. A service never points into a
// package manager's cache or a home directory, so everything it needs is copied to a versioned place of its own.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OpsError } from '../errors.ts';

interface PayloadFile {
  /** Absolute path in the package that runs now. */
  readonly from: string;
  /** Relative path in the versioned place. */
  readonly to: string;
  readonly mode: number;
}

export interface Payload {
  readonly version: string;
  readonly files: readonly PayloadFile[];
  /** Names of the programs, without extension. */
  readonly programs: readonly string[];
}

/** The folder of the package: src/install/payload.ts and dist/bin/PROGRAM.js both lie two folders below it. */
export const packageRoot = (): string => fileURLToPath(new URL('../../', import.meta.url));

/** The file of a program, relative to the package and to the versioned place alike. */
export const programFile = (name: string): string => `dist/bin/${name}.js`;

/** What the programs start: their code, and the code caches of the Node that built them. */
const CODE_FOLDER = 'dist/programs';

/** Lists the files of the package at `root`. Throws executable-unusable when it is not built. */
export function readPayload(root: string): Payload {
  const server = join(root, programFile('tsredis-server'));
  if (!existsSync(server)) {
    throw new OpsError('executable-unusable', { path: server, reason: 'it is not built; run: npm run build' });
  }
  const pkg = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const programs = readdirSync(join(root, 'dist/bin'))
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.slice(0, -3))
    .sort();
  const texts = ['package.json', 'dist/package.json', 'dist/bin/package.json', 'LICENSE'].filter((path) =>
    existsSync(join(root, path)),
  );
  const code = existsSync(join(root, CODE_FOLDER)) ? readdirSync(join(root, CODE_FOLDER)).sort() : [];
  const templates = readdirSync(join(root, 'templates'))
    .sort()
    .map((name) => `templates/${name}`);
  const file = (path: string, mode: number): PayloadFile => ({ from: join(root, path), to: path, mode });
  return {
    version: pkg.version,
    programs,
    files: [
      ...programs.map((name) => file(programFile(name), 0o755)),
      ...[...code.map((name) => `${CODE_FOLDER}/${name}`), ...texts, ...templates].map((path) => file(path, 0o644)),
    ].filter(({ from }) => statSync(from).isFile()),
  };
}
