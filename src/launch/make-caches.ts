// dist/programs/make-caches.cjs: writes the code caches of this package for the Node that runs it.

import { readFileSync } from 'node:fs';
import { codePath } from './code-file.ts';
import { hashOf, runAndKeep, writeCaches } from './write-caches.ts';

const [mode, name, target, ...args] = process.argv.slice(2);
if (mode === '--one' && name !== undefined && target !== undefined) {
  const hash = hashOf(readFileSync(codePath({ directory: __dirname, name })));
  runAndKeep({ directory: __dirname, name, hash }, target, args, require);
} else {
  void writeCaches(__dirname, mode ?? __dirname, __filename).then((programs) => {
    for (const program of programs) process.stderr.write(`no code cache of ${program} could be written\n`);
  });
}
