// Builds every program into one self-contained file each (dist/bin/*.js) and the importable library (dist/lib/index.js).
// No node_modules are needed at run time. Files are built beside and renamed, so a running build never leaves half a
// program behind.

import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const pkg = JSON.parse(await readFile('package.json', 'utf8'));
const programs = Object.keys(pkg.bin);

// Some bundled packages are CommonJS and call require() for node: builtins, which an ES module has to be given.
const requireForBundled =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Programs that bundle node: builtins alone: they start faster without createRequire. */
const pure = new Set(['tsredis-server', 'tsredis-cli', 'tsredis-benchmark']);

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.17',
  format: 'esm',
  define: { __TSREDIS_VERSION__: JSON.stringify(pkg.version) },
  legalComments: 'none',
  // Less to parse at every start; names stay, for stack traces that can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
};

await mkdir('dist', { recursive: true });
const out = await mkdtemp('dist/.build-');
try {
  await Promise.all([
    ...programs.map((name) =>
      build({
        ...common,
        entryPoints: [`src/bin/${name}.ts`],
        outfile: `${out}/bin/${name}.js`,
        banner: { js: `#!/usr/bin/env node\n${pure.has(name) ? '' : requireForBundled}` },
      }),
    ),
    build({ ...common, entryPoints: ['src/index.ts'], outfile: `${out}/lib/index.js` }),
  ]);
  await mkdir('dist/bin', { recursive: true });
  await mkdir('dist/lib', { recursive: true });
  for (const name of programs) {
    await chmod(`${out}/bin/${name}.js`, 0o755);
    await rename(`${out}/bin/${name}.js`, `dist/bin/${name}.js`);
  }
  await rename(`${out}/lib/index.js`, 'dist/lib/index.js');
  await writeFile('dist/package.json', '{ "type": "module" }\n');
} finally {
  await rm(out, { recursive: true, force: true });
}
