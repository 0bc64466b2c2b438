// Builds every program into one self-contained file each (dist/programs/*.cjs), with a starter (dist/bin/*.js) that loads
// it by its code cache, and the importable library (dist/lib/index.js). No node_modules are needed at run time. Files are
// built beside and renamed, so a running build never leaves half a program behind.
//
// Programs are CommonJS, as Node starts that sooner: no loader of ES modules, and no list of all that a builtin exports.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const pkg = JSON.parse(await readFile('package.json', 'utf8'));
const programs = Object.keys(pkg.bin);

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.17',
  define: { __TSREDIS_VERSION__: JSON.stringify(pkg.version) },
  legalComments: 'none',
  charset: 'ascii',
  // Less to parse at every start; names stay, for stack traces that can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
};

/** Node's own arguments for the server, as the sources have them. */
const nodeArguments = await build({
  entryPoints: ['src/host/node-arguments.ts'],
  format: 'esm',
  write: false,
}).then(({ outputFiles: [{ text }] }) => import(`data:text/javascript,${encodeURIComponent(text)}`));

/** What stands for import.meta.url. */
const MODULE_URL = '__moduleUrl';

const program = {
  ...common,
  format: 'cjs',
  // Bundled packages that are ES modules ask where they lie; and all is in one file, so import() needs no loader.
  define: { ...common.define, 'import.meta.url': MODULE_URL },
  supported: { 'dynamic-import': false },
};

await mkdir('dist', { recursive: true });
const out = await mkdtemp('dist/.build-');
try {
  await Promise.all([
    ...programs.map(buildProgram),
    build({ ...program, entryPoints: ['src/launch/make-caches.ts'], outfile: `${out}/programs/make-caches.cjs` }),
    build({ ...common, format: 'esm', entryPoints: ['src/index.ts'], outfile: `${out}/lib/index.js` }),
  ]);
  for (const folder of ['bin', 'lib', 'programs']) await mkdir(`dist/${folder}`, { recursive: true });
  for (const name of ['make-caches', ...programs]) {
    await rename(`${out}/programs/${name}.cjs`, `dist/programs/${name}.cjs`);
  }
  for (const name of programs) {
    await chmod(`${out}/bin/${name}.js`, 0o755);
    await rename(`${out}/bin/${name}.js`, `dist/bin/${name}.js`);
  }
  await rename(`${out}/lib/index.js`, 'dist/lib/index.js');
  await writeFile('dist/package.json', '{ "type": "module" }\n');
  await writeFile('dist/bin/package.json', '{ "type": "commonjs" }\n');
} finally {
  await rm(out, { recursive: true, force: true });
}
spawnSync(process.execPath, ['dist/programs/make-caches.cjs'], { stdio: 'inherit' });

/** The program's code and its starter, which knows the code by its hash. */
async function buildProgram(name) {
  const path = `${out}/programs/${name}.cjs`;
  await build({ ...program, entryPoints: [`src/bin/${name}.ts`], outfile: path });
  let code = await readFile(path, 'latin1');
  if (code.includes(MODULE_URL)) {
    code = `const ${MODULE_URL} = require('node:url').pathToFileURL(__filename).href;\n${code}`;
    await writeFile(path, code, 'latin1');
  }
  const hash = createHash('sha256').update(code, 'latin1').digest('hex').slice(0, 16);
  await build({
    ...program,
    entryPoints: ['src/launch/starter.ts'],
    outfile: `${out}/bin/${name}.js`,
    define: { ...program.define, __PROGRAM__: JSON.stringify(name), __CODE_HASH__: JSON.stringify(hash) },
    banner: { js: firstLines(name) },
  });
}

/**
 * How the file runs as a program. Not every env takes arguments for the interpreter, so where Node needs some, the first
 * lines are a shell's, which hands the file over to Node; to that they are a comment and a string.
 */
function firstLines(name) {
  if (name !== 'tsredis-server') return '#!/usr/bin/env node';
  const words = nodeArguments.SERVER_NODE_ARGUMENTS.join(' ');
  return `#!/usr/bin/env sh\n':' //; exec node ${words} -- "$0" "$@"`;
}
