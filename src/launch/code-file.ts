// A program's code file and its code cache: what V8 has compiled of the file, so that a start need not compile it again.
// The cache is made by whoever builds or installs the package, beside the code and as trusted as the code; no run writes
// it. V8 refuses one from another version of itself, and the name says which Node and which code it belongs to, as V8
// itself compares no more of the source than its length.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { prepareEngine } from './engine.ts';

export interface CodeFile {
  /** Folder of the code files. */
  directory: string;
  /** Name of the program. */
  name: string;
  /** Of the code file's content; see build.mjs. */
  hash: string;
}

/** A compiled code file; `run` gets what a CommonJS module gets of it. */
export interface LoadedCode {
  script: Script;
  run(load: NodeJS.Require): void;
}

export function codePath({ directory, name }: Pick<CodeFile, 'directory' | 'name'>): string {
  return join(directory, `${name}.cjs`);
}

export function cachePath({ directory, name, hash }: CodeFile): string {
  return join(directory, `${name}-${hash}-${process.version}-${process.platform}-${process.arch}.cache`);
}

/** Compiles a program, with its cache when there is a good one. */
export function loadCode(file: CodeFile): LoadedCode {
  prepareEngine(file.name);
  const path = codePath(file);
  // The bundler escapes what is not ASCII, so that V8 may keep one byte a character.
  const source = `(function (require, __filename) {${readFileSync(path, 'latin1')}\n})`;
  const script = new Script(source, { filename: path, cachedData: readCache(cachePath(file)) });
  const body = script.runInThisContext() as (load: NodeJS.Require, filename: string) => void;
  return { script, run: (load) => body(load, path) };
}

function readCache(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // None for this Node: everything is compiled, as without caches.
    return undefined;
  }
}
