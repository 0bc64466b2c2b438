// npm test: installs what is missing, builds, lints, checks types and runs every test that needs no root.
// Arguments are handed to vitest: `npm test -- test/server/memory`.
import { checkNode, installPackages, run } from './packages.mjs';

checkNode();
installPackages();
run(process.execPath, ['scripts/build.mjs']);
run('npm', ['run', '--silent', 'lint']);
run('npm', ['run', '--silent', 'types']);
run('npx', ['vitest', 'run', ...process.argv.slice(2)]);
