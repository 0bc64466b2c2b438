// Settings of the kernel and limits of this process that a Redis-compatible server cares about. Linux; undefined elsewhere.
import type { Host } from './host.ts';

export interface KernelFacts {
  /** vm.overcommit_memory: 0, 1 or 2. */
  readonly overcommitMemory: number | undefined;
  /** The choice in brackets: always, madvise or never. */
  readonly transparentHugePages: string | undefined;
  /** net.core.somaxconn: caps every listen backlog. */
  readonly listenBacklogMax: number | undefined;
  readonly mapCountMax: number | undefined;
  /** The soft and hard limit on open files of this process; Infinity for unlimited. */
  readonly openFilesSoft: number | undefined;
  readonly openFilesHard: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly memoryAvailableBytes: number | undefined;
  readonly swapTotalBytes: number | undefined;
}

export function gatherKernelFacts(host: Host): KernelFacts {
  const meminfo = host.readText('/proc/meminfo') ?? '';
  const limits = /^Max open files\s+(\S+)\s+(\S+)/m.exec(host.readText('/proc/self/limits') ?? '');
  return {
    overcommitMemory: readNumber(host, '/proc/sys/vm/overcommit_memory'),
    transparentHugePages: /\[(\w+)\]/.exec(host.readText('/sys/kernel/mm/transparent_hugepage/enabled') ?? '')?.[1],
    listenBacklogMax: readNumber(host, '/proc/sys/net/core/somaxconn'),
    mapCountMax: readNumber(host, '/proc/sys/vm/max_map_count'),
    openFilesSoft: parseLimit(limits?.[1]),
    openFilesHard: parseLimit(limits?.[2]),
    memoryTotalBytes: meminfoBytes(meminfo, 'MemTotal'),
    memoryAvailableBytes: meminfoBytes(meminfo, 'MemAvailable'),
    swapTotalBytes: meminfoBytes(meminfo, 'SwapTotal'),
  };
}

function readNumber(host: Host, path: string): number | undefined {
  const text = host.readText(path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function parseLimit(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  return word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word);
}

function meminfoBytes(meminfo: string, key: string): number | undefined {
  const kibibytes = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
