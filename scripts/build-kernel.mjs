// Compiles server/base/kernel.as to WebAssembly and writes it as server/base/kernel-bytes.ts. Needed only when the source
// changes; fetches the compiler through npx.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMPILER = 'assemblyscript@0.28.20';
const LINE = 100;

const folder = await mkdtemp(join(tmpdir(), 'kernel-'));
try {
  const source = join(folder, 'kernel.ts');
  const output = join(folder, 'kernel.wasm');
  await copyFile('server/base/kernel.as', source);
  const options = ['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--importMemory'];
  execFileSync('npx', ['--yes', '--package', COMPILER, 'asc', source, ...options, '-o', output], { stdio: 'inherit' });
  const text = (await readFile(output)).toString('base64');
  const lines = text.match(new RegExp(`.{1,${LINE}}`, 'g')).map((line) => `  '${line}',`);
  await writeFile(
    'server/base/kernel-bytes.ts',
    `// WebAssembly made from kernel.as by scripts/build-kernel.mjs; don't edit.\n\nexport const KERNEL_BASE64: string = [\n${lines.join('\n')}\n].join('');\n`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
