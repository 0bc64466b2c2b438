// Prints the commands that the server serves as markdown tables, one per group: the README's list.
//
//   node scripts/commands-table.mjs            print
//   node scripts/commands-table.mjs README.md  replace what stands between the two marks in that file
import { readFile, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const BEGIN = '<!-- commands:begin -->';
const END = '<!-- commands:end -->';

const titles = {
  string: 'Strings',
  bitmap: 'Bitmaps',
  list: 'Lists',
  set: 'Sets',
  hash: 'Hashes',
  'sorted-set': 'Sorted sets',
  geo: 'Geo',
  hyperloglog: 'HyperLogLog',
  stream: 'Streams',
  generic: 'Keys',
  transactions: 'Transactions',
  pubsub: 'Publish and subscribe',
  connection: 'Connection',
  server: 'Server',
  scripting: 'Scripting',
  cluster: 'Cluster',
  sentinel: 'Sentinel',
};

/** The server's own table, so that the list never names a command that is not served. */
async function loadTable() {
  const contents = `
    export { createCommandTable } from './server/commands/table.ts';
    export { syntaxOf } from './server/commands/docs.ts';
  `;
  const result = await build({
    stdin: { contents, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'warning',
  });
  const code = Buffer.from(result.outputFiles[0].contents).toString('base64');
  return await import(`data:text/javascript;base64,${code}`);
}

/** Lines by group, in the order of the titles. */
function servedByGroup({ createCommandTable, syntaxOf }) {
  const groups = new Map(Object.keys(titles).map((group) => [group, []]));
  const served = createCommandTable()
    .all()
    .flatMap((command) => [command, ...(command.subcommands?.all() ?? [])])
    .filter((command) => command.handler !== null && !command.name.endsWith('|help'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, spec } of served) {
    const syntax = [name.replace('|', ' ').toUpperCase(), syntaxOf(spec)].filter(Boolean).join(' ');
    groups.get(spec.group).push(`| ${cell(`\`${syntax}\``)} | ${cell(spec.summary)} |`);
  }
  return groups;
}

const cell = (text) => text.replaceAll('|', '\\|');

const parts = [];
for (const [group, lines] of servedByGroup(await loadTable())) {
  if (lines.length > 0)
    parts.push([`### ${titles[group]}`, '', '| command | what it does |', '|---|---|', ...lines].join('\n'));
}
const markdown = `${parts.join('\n\n')}\n`;

const file = process.argv[2];
if (file === undefined) process.stdout.write(markdown);
else {
  const text = await readFile(file, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin)
    throw new Error(`${file} has no ${BEGIN} ... ${END}; add the two lines where the list belongs`);
  await writeFile(file, `${text.slice(0, begin + BEGIN.length)}\n\n${markdown}\n${text.slice(end)}`);
}
