// What is measured: one row for each workload, with the targets it is held to. A ratio is ours divided by Redis'.

/** What the database holds before a workload begins; prepare.ts tells how each is made. */
export type Preparation =
  | 'nothing'
  | 'strings'
  | 'values4k'
  | 'values64k'
  | 'bits'
  | 'list600'
  | 'longList'
  | 'numbers100'
  | 'hash50'
  | 'largeHash'
  | 'smallHash'
  | 'sets100'
  | 'largeSet'
  | 'zset100'
  | 'largeZset'
  | 'stream'
  | 'streamToRead'
  | 'streamPending'
  | 'places'
  | 'hyperLogLog';

/** Bounds on ratios to Redis, measured side by side in one run. */
export interface Targets {
  cpuRatioMax?: number;
  throughputRatioMin?: number;
}

/**
 * `first`: what the server must reach before anything else; `types`: every type's main commands; `final`: what it is
 * built for.
 */
export type Milestone = 'first' | 'types' | 'final';

/** Bound on the geometric mean of the CPU ratios of all workloads in pipelines of 16. */
export const GEOMETRIC_MEAN_MAX: Readonly<Partial<Record<Milestone, number>>> = { types: 1.0, final: 1.0 };

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

/** No command costs more than this. */
const ANY: Targets = { cpuRatioMax: 1.5 };
const any: LoadWorkload['targets'] = { types: ANY, final: ANY };
const frequent: LoadWorkload['targets'] = { types: ANY, final: { cpuRatioMax: 0.9 } };
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
    targets: { first: { cpuRatioMax: 0.9 }, types: ANY, final: { cpuRatioMax: 0.7, throughputRatioMin: 1.4 } },
    ...(command === 'incr' ? {} : { core: true as const }),
  },
]);

/** A command in pipelines of 16; `__rand_int__` becomes twelve digits of a random number below `range`. */
function pipelined(
  name: string,
  command: string,
  requests: number,
  preparation: Preparation = 'nothing',
  targets: LoadWorkload['targets'] = any,
  range = KEYS,
): LoadWorkload {
  return { name, load: ['-r', String(range), ...command.split(' ')], pipeline: 16, requests, preparation, targets };
}

/** Elements that are there to be popped: as many as are asked for, and the warming up before. */
export const POPPED = 600_000;

const TEN_PAIRS = Array.from({ length: 10 }, () => 'key:__rand_int__ xxx').join(' ');
const TEN_KEYS = Array.from({ length: 10 }, () => 'key:__rand_int__').join(' ');

/** The main commands of every type. */
const types: readonly LoadWorkload[] = [
  pipelined('mset of 10', `mset ${TEN_PAIRS}`, 100_000, 'nothing', frequent),
  pipelined('mget of 10', `mget ${TEN_KEYS}`, 150_000, 'strings'),
  pipelined('append', 'append key:__rand_int__ xxx', 500_000),
  pipelined('getrange', 'getrange key:__rand_int__ 0 1', 500_000, 'strings'),
  pipelined('del', 'del key:__rand_int__', 500_000, 'strings'),
  pipelined('exists', 'exists key:__rand_int__', 500_000, 'strings'),
  pipelined('expire', 'expire key:__rand_int__ 1000', 500_000, 'strings'),
  pipelined('setbit', 'setbit bits 77777 1', 500_000, 'bits'),
  pipelined('getbit', 'getbit bits 77777', 500_000, 'bits'),
  pipelined('bitcount of 12 KiB', 'bitcount bits', 200_000, 'bits'),
  pipelined('bitfield', 'bitfield bits incrby u8 #77 1 get u8 0', 400_000, 'bits'),
  pipelined('lpush', 'lpush mylist xxx', 1_000_000, 'nothing', frequent),
  pipelined('rpush', 'rpush mylist xxx', 1_000_000, 'nothing', frequent),
  pipelined('lpop', 'lpop mylist', POPPED, 'longList', frequent),
  pipelined('rpop', 'rpop mylist', POPPED, 'longList', frequent),
  pipelined('llen', 'llen mylist', 500_000, 'list600'),
  pipelined('lindex', 'lindex mylist 10', 500_000, 'list600'),
  pipelined('lset', 'lset mylist 10 yyy', 500_000, 'list600'),
  pipelined('lmove', 'lmove mylist mylist left right', 400_000, 'list600'),
  pipelined('lrange of 100', 'lrange mylist 0 99', 100_000, 'list600'),
  pipelined('hset', 'hset myhash element:__rand_int__ xxx', 700_000, 'nothing', frequent),
  pipelined('hset to small hashes', 'hset hash:__rand_int__ name xxx age 42', 400_000),
  pipelined('hget', 'hget myhash element:__rand_int__', 500_000, 'largeHash'),
  pipelined('hget of a small hash', 'hget smallhash field3', 500_000, 'smallHash'),
  pipelined('hmget of 3', 'hmget smallhash field1 field3 field5', 400_000, 'smallHash'),
  pipelined('hincrby', 'hincrby hash:__rand_int__ field 1', 500_000),
  pipelined('hdel', 'hdel myhash element:__rand_int__', 500_000, 'largeHash'),
  pipelined('hgetall of 50', 'hgetall myhash', 100_000, 'hash50'),
  pipelined('sadd', 'sadd myset element:__rand_int__', 700_000, 'nothing', frequent),
  pipelined('srem', 'srem myset element:__rand_int__', 500_000, 'largeSet'),
  pipelined('sismember', 'sismember myset element:__rand_int__', 500_000, 'largeSet'),
  pipelined('srandmember', 'srandmember myset', 400_000, 'largeSet'),
  pipelined('spop', 'spop myset', POPPED, 'largeSet', frequent, POPPED),
  pipelined('smembers of 100', 'smembers set1', 60_000, 'sets100'),
  pipelined('sinter of 100', 'sinter set1 set2', 30_000, 'sets100'),
  pipelined('sunion of 100', 'sunion set1 set2', 20_000, 'sets100'),
  pipelined('zadd', 'zadd myzset 0 element:__rand_int__', 400_000, 'nothing', frequent),
  pipelined('zadd with random scores', 'zadd myzset __rand_int__ element:__rand_int__', 300_000, 'nothing', frequent),
  pipelined('zincrby', 'zincrby myzset 1 element:__rand_int__', 300_000),
  pipelined('zrem', 'zrem myzset element:__rand_int__', 400_000, 'largeZset'),
  pipelined('zscore', 'zscore myzset element:__rand_int__', 500_000, 'largeZset'),
  pipelined('zrank', 'zrank myzset element:__rand_int__', 400_000, 'largeZset'),
  pipelined('zcount', 'zcount myzset 1000 20000', 400_000, 'largeZset'),
  pipelined('zpopmin', 'zpopmin myzset', POPPED, 'largeZset', frequent),
  pipelined('zrange of 100', 'zrange myzset 0 99', 100_000, 'zset100'),
  pipelined('zrange of 100 with scores', 'zrange myzset 0 99 withscores', 30_000, 'zset100'),
  pipelined('zrangebyscore of 100', 'zrangebyscore myzset 0 99', 80_000, 'zset100'),
  pipelined('xadd', 'xadd mystream * myfield __rand_int__', 500_000, 'nothing', frequent),
  pipelined('xlen', 'xlen mystream', 500_000, 'stream'),
  pipelined('xrange of 10', 'xrange mystream - + count 10', 150_000, 'stream'),
  pipelined('xread of 10', 'xread count 10 streams mystream 0', 150_000, 'stream'),
  pipelined('xreadgroup of new', 'xreadgroup group readers one count 1 streams mystream >', 200_000, 'streamToRead'),
  pipelined(
    'xreadgroup of 10 old',
    'xreadgroup group readers one count 10 streams mystream 0',
    80_000,
    'streamPending',
  ),
  pipelined('xack', 'xack mystream readers 1-__rand_int__', 400_000, 'streamPending'),
  pipelined('geoadd', 'geoadd places 13.361389 38.115556 place:__rand_int__', 300_000),
  pipelined('geodist', 'geodist places place:1 place:777 km', 300_000, 'places'),
  pipelined('geosearch', 'geosearch places fromlonlat 14 38 byradius 20 km asc', 20_000, 'places'),
  pipelined('pfadd', 'pfadd loglog element:__rand_int__', 500_000),
  pipelined('pfcount', 'pfcount loglog', 500_000, 'hyperLogLog'),
  pipelined('sort of 100', 'sort numbers', 25_000, 'numbers100'),
  pipelined('publish', 'publish channel xxx', 500_000),
];

export const LOAD_WORKLOADS: readonly LoadWorkload[] = [
  ...basics,
  ...types,
  ...[100, 300, 600].map(
    (count): LoadWorkload => ({
      name: `lrange of ${count}`,
      load: ['lrange', 'mylist', '0', String(count - 1)],
      pipeline: 1,
      requests: Math.round(6_000_000 / (count + 50)),
      preparation: 'list600',
      targets: reads,
    }),
  ),
  {
    name: 'hgetall of 50',
    load: ['hgetall', 'myhash'],
    pipeline: 1,
    requests: 60_000,
    preparation: 'hash50',
    targets: reads,
  },
  {
    name: 'zrange of 100',
    load: ['zrange', 'myzset', '0', '99'],
    pipeline: 1,
    requests: 60_000,
    preparation: 'zset100',
    targets: reads,
  },
  ...(['4k', '64k'] as const).flatMap((size) =>
    (['set', 'get'] as const).map(
      (command): LoadWorkload => ({
        name: `${command} of ${size === '4k' ? 4 : 64} KiB`,
        load: ['-r', '1000', '-d', size === '4k' ? '4096' : '65536', '-t', command],
        pipeline: 1,
        requests: size === '4k' ? 100_000 : 20_000,
        preparation: size === '4k' ? 'values4k' : 'values64k',
        targets: large,
      }),
    ),
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
