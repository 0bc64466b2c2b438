// What dist/bin/NAME.js is: the few lines that load the program's code. The build fills in name and hash.
import { join } from 'node:path';
import { loadCode } from './code-file.ts';

declare const __PROGRAM__: string;
declare const __CODE_HASH__: string;

loadCode({ directory: join(__dirname, '../programs'), name: __PROGRAM__, hash: __CODE_HASH__ }).run(require);
