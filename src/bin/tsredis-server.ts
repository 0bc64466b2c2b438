// The server program.

import { main } from '../../server/main.ts';

void main(process.argv.slice(2));
