// tsredis service start|stop|restart|status|logs [port]: the instances of this machine, as their service managers run them.
import { Command, Option } from 'commander';
import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { restartInstance, type StartOutcome, startInstance, stopInstance } from '../service/control.ts';
import { findManager } from '../service/managers.ts';
import { findRecord, type InstanceRecord, loadRecords } from '../service/registry.ts';
import { type InstanceStatus, readStatus, statusExitCodes } from '../service/status.ts';

export interface ServiceIo {
  readonly host: Host;
  /** Writes one line to standard output. */
  readonly print: (line: string) => void;
  /** The exit status that the program shall end with. */
  readonly setExitStatus: (status: number) => void;
}

interface ServiceOptions {
  readonly json?: boolean;
  readonly kill?: boolean;
  readonly lines?: string;
  readonly follow?: boolean;
}

type Verb = 'start' | 'stop' | 'restart' | 'status' | 'logs';

export function serviceCommand(io: ServiceIo): Command {
  const service = new Command('service').description('start, stop and look at the instances of this machine');
  const verb = (name: Verb, description: string) =>
    service
      .command(`${name} [port]`)
      .description(description)
      .addOption(new Option('--json', 'print one JSON document'));
  const act = (name: Verb) => async (port: string | undefined, options: ServiceOptions) => {
    io.setExitStatus(await runService(io, name, port, options));
  };
  verb('start', 'start it and wait until it answers').action(act('start'));
  verb('stop', 'save and stop it, and wait until it is gone')
    .option('--kill', 'end it by force when it does not stop in time: unsaved changes are lost')
    .action(act('stop'));
  verb('restart', 'stop it, start it')
    .option('--kill', 'end it by force when it does not stop in time: unsaved changes are lost')
    .action(act('restart'));
  verb('status', 'every instance, or one: exit status 0 running, 1 dead with a pid file, 3 stopped, 4 unknown').action(
    act('status'),
  );
  verb('logs', 'show its log')
    .option('-n, --lines <count>', 'how many lines from the end', '50')
    .option('-f, --follow', 'go on as it grows')
    .action(act('logs'));
  return service;
}

/** Does what the verb says and resolves to the exit status. Throws OpsError. */
export async function runService(
  io: ServiceIo,
  verb: Verb,
  port: string | undefined,
  options: ServiceOptions,
): Promise<number> {
  if (verb === 'status') return showStatus(io, port, options);
  const record = chooseRecord(io.host, port);
  const { instance } = record;
  const manager = findManager(record.manager);
  if (verb === 'logs') return showLogs(io, record, options);
  if (verb === 'stop') {
    const outcome = await stopInstance(io.host, instance, manager, { kill: options.kill ?? false });
    const text =
      outcome.pid === null
        ? `${instance.service} is not running`
        : `${instance.service} ${outcome.killed ? 'was killed' : 'stopped'} (pid ${outcome.pid})`;
    io.print(options.json ? JSON.stringify({ service: instance.service, port: instance.port, ...outcome }) : text);
    return 0;
  }
  const outcome =
    verb === 'start'
      ? await startInstance(io.host, instance, manager)
      : await restartInstance(io.host, instance, manager, { kill: options.kill ?? false });
  io.print(
    options.json
      ? JSON.stringify({ service: instance.service, port: instance.port, ...outcome })
      : started(instance.service, outcome),
  );
  return 0;
}

function started(service: string, outcome: StartOutcome): string {
  const what = outcome.already ? 'already runs' : 'started';
  return `${service} ${what} (pid ${outcome.pid}), answers ${outcome.answer}`;
}

async function showStatus(io: ServiceIo, port: string | undefined, options: ServiceOptions): Promise<number> {
  const records = port === undefined ? loadRecords(io.host) : [chooseRecord(io.host, port)];
  const statuses: InstanceStatus[] = [];
  for (const { instance, manager } of records) {
    statuses.push(await readStatus(io.host, instance, findManager(manager)));
  }
  if (options.json) io.print(JSON.stringify(port === undefined ? statuses : statuses[0], null, 2));
  else if (statuses.length === 0) io.print('no instances; make one with: tsredis setup');
  else for (const line of table(statuses)) io.print(line);
  if (statuses.length === 0) return statusExitCodes.stopped;
  // Of several, the first that does not run decides.
  return statusExitCodes[statuses.find((status) => status.state !== 'running')?.state ?? 'running'];
}

function table(statuses: readonly InstanceStatus[]): string[] {
  const rows = [
    ['SERVICE', 'STATE', 'PID', 'UPTIME', 'PORT', 'PING', 'MANAGER', 'CONF'],
    ...statuses.map((status) => [
      status.service,
      status.state,
      String(status.pid ?? '-'),
      status.uptimeSeconds === null ? '-' : formatUptime(status.uptimeSeconds),
      String(status.port),
      status.answer ?? '-',
      status.manager,
      status.conf,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const notes = statuses.filter((status) => status.state !== 'running' || status.answer === null);
  return [...lines, ...notes.map((status) => `${status.service}: ${status.detail}`)];
}

/** `3d 4h`, `5m 6s`: the two largest units. */
export function formatUptime(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const;
  const largest = Math.max(
    0,
    units.findIndex(([, size]) => seconds >= size),
  );
  if (seconds < 1) return '0s';
  return units
    .slice(largest, largest + 2)
    .map(([unit, size], index) => {
      const rest = index === 0 ? seconds : seconds % units[largest]![1];
      return `${Math.floor(rest / size)}${unit}`;
    })
    .join(' ');
}

async function showLogs(io: ServiceIo, record: InstanceRecord, options: ServiceOptions): Promise<number> {
  const { instance } = record;
  const count = Number(options.lines ?? '50');
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new OpsError('usage', { detail: `--lines takes a whole number, not ${options.lines}` });
  }
  // What the server logs is in its file; what its manager says of it, where there is none.
  const source = io.host.exists(instance.logFile) ? findManager('daemon') : findManager(record.manager);
  const { file, args } = source.logs(instance, count, options.follow ?? false);
  if (options.follow) return (await io.host.run(file, args, { inherit: true })).exitCode;
  const result = await io.host.run(file, args);
  if (result.exitCode !== 0) {
    throw new OpsError('file-not-readable', { path: instance.logFile, reason: result.stderr.trim() });
  }
  const lines = result.stdout === '' ? [] : result.stdout.split('\n');
  if (options.json) io.print(JSON.stringify({ service: instance.service, log: instance.logFile, lines }));
  else for (const line of lines) io.print(line);
  return 0;
}

/** The instance on `port`; without one, the only instance there is. */
function chooseRecord(host: Host, port: string | undefined): InstanceRecord {
  if (port !== undefined) {
    const number = Number(port.replace(/^redis_/, ''));
    if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new OpsError('port-range', { value: port });
    return findRecord(host, number);
  }
  const records = loadRecords(host);
  if (records.length === 1) return records[0]!;
  const ports = records.map((record) => record.instance.port).join(', ');
  throw new OpsError('usage', {
    detail:
      records.length === 0 ? 'there is no instance; make one with: tsredis setup' : `which port? There are ${ports}`,
  });
}
