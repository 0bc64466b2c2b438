// What is measured: one row for each workload, with the targets it is held to. A ratio is ours divided by Redis'.

/** What the database holds before a workload begins. */
export type Preparation =
  | 'nothing'
  | 'strings'
  | 'values4k'
  | 'values64k'
  | 'list600'
  | 'hash50'
  | 'zset100'
  | 'filled';

/** Bounds on ratios to Redis, measured side by side in one run. */
export interface Targets {
  cpuRatioMax?: number;
  throughputRatioMin?: number;
}

/** `first`: what the server must reach before anything else; `final`: what it is built for. */
export type Milestone = 'first' | 'final';

export interface LoadWorkload {
  name: string;
  /** redis-benchmark's arguments that choose the command. */
  load: readonly string[];
  pipeline: number;
  /** Requests of one measurement, enough for about two seconds of CPU. */
  requests: number;
  clients?: number;
  preparation: Preparation;
  targets: Partial<Record<Milestone, Targets>>;
  /** Part of the short default set. */
  core?: true;
}

/** Random keys of the load: `key:` and twelve digits, as redis-benchmark makes them. */
export const KEYS = 100_000;

const RANDOM_KEYS = ['-r', String(KEYS)];

const atDepth16: LoadWorkload['targets'] = { final: { cpuRatioMax: 0.9 } };
const reads: LoadWorkload['targets'] = { final: { cpuRatioMax: 1.0 } };
const large: LoadWorkload['targets'] = { final: { cpuRatioMax: 1.1 } };

const basics = (['set', 'get', 'incr'] as const).flatMap((command): LoadWorkload[] => [
  {
    name: command,
    load: [...RANDOM_KEYS, '-t', command],
    pipeline: 1,
    requests: 200_000,
    preparation: command === 'incr' ? 'nothing' : 'strings',
    targets: { first: { cpuRatioMax: 1.6 }, final: { cpuRatioMax: 1.2, throughputRatioMin: 0.95 } },
    ...(command === 'incr' ? {} : { core: true as const }),
  },
  {
    name: command,
    load: [...RANDOM_KEYS, '-t', command],
    pipeline: 16,
    requests: 1_500_000,
    preparation: command === 'incr' ? 'nothing' : 'strings',
    targets: { first: { cpuRatioMax: 0.9 }, final: { cpuRatioMax: 0.7, throughputRatioMin: 1.4 } },
    ...(command === 'incr' ? {} : { core: true as const }),
  },
]);

const types = (['lpush', 'rpush', 'lpop', 'rpop', 'sadd', 'hset', 'spop', 'zadd', 'zpopmin'] as const).map(
  (command): LoadWorkload => ({
    name: command,
    load: [...RANDOM_KEYS, '-t', command],
    pipeline: 16,
    requests: 1_000_000,
    // What pops needs something to pop.
    preparation: /pop/.test(command) ? 'filled' : 'nothing',
    targets: atDepth16,
  }),
);

export const LOAD_WORKLOADS: readonly LoadWorkload[] = [
  ...basics,
  ...types,
  {
    name: 'mset-10',
    load: [...RANDOM_KEYS, '-t', 'mset'],
    pipeline: 16,
    requests: 200_000,
    preparation: 'nothing',
    targets: atDepth16,
  },
  {
    name: 'xadd',
    load: [...RANDOM_KEYS, 'xadd', 'mystream', '*', 'myfield', '__rand_int__'],
    pipeline: 16,
    requests: 500_000,
    preparation: 'nothing',
    targets: atDepth16,
  },
  ...[100, 300, 600].map(
    (count): LoadWorkload => ({
      name: `lrange-${count}`,
      load: ['lrange', 'mylist', '0', String(count - 1)],
      pipeline: 1,
      requests: Math.round(6_000_000 / (count + 50)),
      preparation: 'list600',
      targets: reads,
    }),
  ),
  {
    name: 'hgetall-50',
    load: ['hgetall', 'myhash'],
    pipeline: 1,
    requests: 60_000,
    preparation: 'hash50',
    targets: reads,
  },
  {
    name: 'zrange-100',
    load: ['zrange', 'myzset', '0', '99'],
    pipeline: 1,
    requests: 60_000,
    preparation: 'zset100',
    targets: reads,
  },
  ...(['4k', '64k'] as const).flatMap((size) =>
    (['set', 'get'] as const).map(
      (command): LoadWorkload => ({
        name: `${command}-${size}`,
        load: ['-r', '1000', '-d', size === '4k' ? '4096' : '65536', '-t', command],
        pipeline: 1,
        requests: size === '4k' ? 100_000 : 20_000,
        preparation: size === '4k' ? 'values4k' : 'values64k',
        targets: large,
      }),
    ),
  ),
  ...(['set', 'get'] as const).map(
    (command): LoadWorkload => ({
      name: `${command}-1000-clients`,
      load: [...RANDOM_KEYS, '-t', command],
      pipeline: 1,
      requests: 200_000,
      clients: 1000,
      preparation: 'strings',
      targets: {},
    }),
  ),
];

export interface MemoryWorkload {
  name: string;
  keys: number;
  /** The command that makes key number `index`. */
  command(index: number): string[];
  targets: Partial<Record<Milestone, { bytesPerKeyMax?: number; ratioMax?: number }>>;
  core?: true;
}

/** Sixteen bytes. */
const keyName = (index: number) => `key:${String(index).padStart(12, '0')}`;

export const MEMORY_WORKLOADS: readonly MemoryWorkload[] = [
  {
    name: 'strings of 3 bytes',
    keys: 1_000_000,
    command: (index) => ['SET', keyName(index), 'xyz'],
    targets: { first: { bytesPerKeyMax: 60 }, final: { bytesPerKeyMax: 50, ratioMax: 0.6 } },
    core: true,
  },
  {
    name: 'strings of 100 bytes',
    keys: 1_000_000,
    command: (index) => ['SET', keyName(index), 'x'.repeat(100)],
    targets: { final: { ratioMax: 0.6 } },
  },
  {
    name: 'hashes of 5 fields',
    keys: 200_000,
    command: (index) => ['HSET', keyName(index), ...numbered(5, (i) => [`field${i}`, `value${i}`])],
    targets: { final: { ratioMax: 0.6 } },
  },
  {
    name: 'sorted sets of 10',
    keys: 200_000,
    command: (index) => ['ZADD', keyName(index), ...numbered(10, (i) => [String(i), `member${i}`])],
    targets: { final: { ratioMax: 0.6 } },
  },
];

function numbered(count: number, make: (index: number) => string[]): string[] {
  return Array.from({ length: count }, (_, index) => make(index)).flat();
}
