// Facts about running processes, enough to tell whether a recorded pid still is the process it was.
import type { Host } from './host.ts';

export interface ProcessFacts {
  readonly pid: number;
  /** At most 15 bytes on Linux, what `pgrep NAME` looks at. */
  readonly name: string;
  /** The same for the life of the process and different when the pid is used again: start ticks (ps' lstart on macOS). */
  readonly startId: string;
  readonly uptimeSeconds: number;
  /** Undefined when this user may not see it. An upgraded program keeps the path it was started from. */
  readonly executable: string | undefined;
  /** Its working directory, where this user may see it and the platform tells. */
  readonly workingDirectory: string | undefined;
  /** The command line, as the process shows it: servers may have rewritten it into a title. */
  readonly args: readonly string[];
  readonly userId: number;
}

/** The process with this id, or undefined when there is none (a zombie is none: it runs no more). */
export async function readProcess(host: Host, pid: number): Promise<ProcessFacts | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return host.platform === 'linux' ? readLinuxProcess(host, pid) : readPsProcess(host, pid);
}

/** Every process that this user can see, oldest pid first. */
export async function listProcesses(host: Host): Promise<ProcessFacts[]> {
  if (host.platform !== 'linux') {
    const result = await host.run('ps', ['-axww', '-o', psColumns], { timeoutMs: 10_000 });
    return result.stdout.split('\n').flatMap((line) => parsePsLine(line, host.now()) ?? []);
  }
  const pids = host
    .list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((left, right) => left - right);
  return pids.flatMap((pid) => readLinuxProcess(host, pid) ?? []);
}

// The kernel reports times to programs in hundredths of a second on every architecture Node runs on.
const ticksPerSecond = 100;

function readLinuxProcess(host: Host, pid: number): ProcessFacts | undefined {
  const stat = parseStat(host.readText(`/proc/${pid}/stat`) ?? '');
  if (!stat || stat.state === 'Z' || stat.state === 'X') return undefined;
  const status = host.readText(`/proc/${pid}/status`) ?? '';
  const upSeconds = Number.parseFloat(host.readText('/proc/uptime') ?? '0');
  return {
    pid,
    name: stat.name,
    startId: stat.startTicks,
    uptimeSeconds: Math.max(0, Math.floor(upSeconds - Number(stat.startTicks) / ticksPerSecond)),
    executable: host.readLink(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, ''),
    workingDirectory: host.readLink(`/proc/${pid}/cwd`),
    args: splitArguments(host.readText(`/proc/${pid}/cmdline`) ?? ''),
    userId: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? -1),
  };
}

/** The name in /proc/PID/stat stands in parentheses and may itself hold spaces and parentheses. */
export function parseStat(text: string): { name: string; state: string; startTicks: string } | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  // proc(5): state is field 3, starttime field 22; `fields` begins with field 3.
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === undefined || startTicks === undefined) return undefined;
  return { name: text.slice(open + 1, close), state, startTicks };
}

/** A process title is padded with NUL bytes, so empty words at the end say nothing. */
function splitArguments(text: string): string[] {
  return text.replace(/\0+$/, '').split('\0');
}

// lstart is five words; comm comes last but one in no fixed width, so only args is asked for and its first word is it.
const psColumns = 'pid=,uid=,etime=,lstart=,args=';

async function readPsProcess(host: Host, pid: number): Promise<ProcessFacts | undefined> {
  const result = await host.run('ps', ['-ww', '-p', String(pid), '-o', psColumns], { timeoutMs: 5_000 });
  return result.exitCode === 0 ? parsePsLine(result.stdout.trim(), host.now()) : undefined;
}

/** One line of `ps -o pid=,uid=,etime=,lstart=,args=`. */
export function parsePsLine(line: string, nowMs: number): ProcessFacts | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)\s+(\w+\s+\w+\s+\w+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(
    line,
  );
  if (!match) return undefined;
  const [, pid, userId, days = '0', hours = '0', minutes, seconds, start, args] = match;
  const uptimeSeconds = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  const words = args!.split(' ');
  const startedMs = Date.parse(start!);
  return {
    pid: Number(pid),
    name: words[0]!.slice(words[0]!.lastIndexOf('/') + 1),
    startId: start!.replace(/\s+/g, ' '),
    uptimeSeconds: Number.isNaN(startedMs) ? uptimeSeconds : Math.max(0, Math.floor((nowMs - startedMs) / 1000)),
    executable: words[0]!.startsWith('/') ? words[0] : undefined,
    workingDirectory: undefined,
    args: words,
    userId: Number(userId),
  };
}
