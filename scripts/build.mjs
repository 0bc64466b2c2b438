// Builds every program into one self-contained file each (dist/bin/*.js) and the importable entry points (dist/lib/*).
// No node_modules are needed at run time.
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const pkg = JSON.parse(await readFile('package.json', 'utf8'));
const programs = Object.keys(pkg.bin);

// Some bundled packages are CommonJS and call require() for node: builtins, which an ES module has to be given.
const banner = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.17',
  format: 'esm',
  define: { __TSREDIS_VERSION__: JSON.stringify(pkg.version) },
  legalComments: 'none',
  logLevel: 'warning',
};

await rm('dist/bin', { recursive: true, force: true });
await mkdir('dist/bin', { recursive: true });
await Promise.all(
  programs.map((name) =>
    build({
      ...common,
      entryPoints: [`src/bin/${name}.ts`],
      outfile: `dist/bin/${name}.js`,
      banner: { js: `#!/usr/bin/env node\n${name === 'tsredis-server' ? '' : banner}` },
    }),
  ),
);
await Promise.all(programs.map((name) => chmod(`dist/bin/${name}.js`, 0o755)));
await writeFile('dist/package.json', '{ "type": "module" }\n');
