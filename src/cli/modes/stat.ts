// --stat: one line of the server's vital numbers every second.
import { textOf } from '../format.ts';
import { CliExit } from '../host.ts';
import type { Session } from '../session.ts';

const HEADER = `------- data ------ --------------------- load -------------------- - child -
keys       mem      clients blocked requests            connections          
`;

/** Lines between two headers. */
const HEADER_EVERY = 20;

export async function statMode(session: Session): Promise<number> {
  await session.connectOrExit();
  const { host, options } = session;
  const periodMs = (options.intervalSeconds || 1) * 1000;
  let requestsBefore = 0;
  for (let line = 0; ; line++) {
    const fields = await readInfo(session);
    if (line % HEADER_EVERY === 0) host.write(HEADER);
    const requests = number(fields, 'total_commands_processed');
    host.write(
      [
        String(countKeys(fields)).padEnd(11),
        humanBytes(number(fields, 'used_memory')).padEnd(8),
        ` ${String(number(fields, 'connected_clients')).padEnd(8)}`,
        String(number(fields, 'blocked_clients')).padEnd(8),
        `${requests} (+${line === 0 ? 0 : requests - requestsBefore})`.padEnd(19),
        ` ${String(number(fields, 'total_connections_received')).padEnd(12)}`,
        childActivity(fields),
        '\n',
      ].join(''),
    );
    requestsBefore = requests;
    await host.waitMs(periodMs);
  }
}

async function readInfo(session: Session): Promise<Map<string, string>> {
  if (!(await session.ensureConnected())) throw new CliExit(1);
  const reply = await session.call('INFO');
  if (reply.kind === 'error') {
    session.host.writeError(`ERROR: ${textOf(reply)}\n`);
    throw new CliExit(1);
  }
  const fields = new Map<string, string>();
  for (const line of textOf(reply).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

function number(fields: Map<string, string>, name: string): number {
  return Number(fields.get(name) ?? 0);
}

/** The sum over all databases of `dbN:keys=...`. */
function countKeys(fields: Map<string, string>): number {
  let keys = 0;
  for (const [name, value] of fields) {
    if (/^db\d+$/.test(name)) keys += Number(/keys=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return keys;
}

function childActivity(fields: Map<string, string>): string {
  const saving = number(fields, 'bgsave_in_progress') || number(fields, 'rdb_bgsave_in_progress');
  const rewriting = number(fields, 'aof_rewrite_in_progress');
  if (saving && rewriting) return 'SAVE+AOF';
  if (saving) return 'SAVE';
  if (rewriting) return 'AOF';
  return number(fields, 'loading') ? 'LOAD' : '';
}

/** `512B`, `1.86M`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const units = ['K', 'M', 'G'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${units[unit]}`;
}
