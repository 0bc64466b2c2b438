// The default tests in their order: what -t calls them, the title of the report, the command.

export interface Workload {
  title: string;
  /** Any of these in -t selects it. */
  names: readonly string[];
  /** The command; `inline` is sent as it is. */
  command: readonly string[] | { inline: string };
}

/** Replaced by twelve random digits below -r, each time the command is sent. */
export const RANDOM_MARK = '__rand_int__';

/** @param data the value of -d bytes; @param isRandom -r was given */
export function defaultWorkloads(data: string, isRandom: boolean): Workload[] {
  const key = `key:${RANDOM_MARK}`;
  const element = `element:${RANDOM_MARK}`;
  const lrange = (count: number): Workload => ({
    title: `LRANGE_${count} (first ${count} elements)`,
    names: ['lrange', `lrange_${count}`],
    command: ['LRANGE', 'mylist', '0', String(count - 1)],
  });
  const plain = (name: string, ...args: string[]): Workload => ({
    title: name,
    names: [name.toLowerCase()],
    command: [name, ...args],
  });
  return [
    { title: 'PING_INLINE', names: ['ping_inline', 'ping'], command: { inline: 'PING\r\n' } },
    { title: 'PING_MBULK', names: ['ping_mbulk', 'ping'], command: ['PING'] },
    plain('SET', key, data),
    plain('GET', key),
    plain('INCR', `counter:${RANDOM_MARK}`),
    plain('LPUSH', 'mylist', data),
    plain('RPUSH', 'mylist', data),
    plain('LPOP', 'mylist'),
    plain('RPOP', 'mylist'),
    plain('SADD', 'myset', element),
    plain('HSET', 'myhash', element, data),
    plain('SPOP', 'myset'),
    plain('ZADD', 'myzset', isRandom ? RANDOM_MARK : '0', element),
    plain('ZPOPMIN', 'myzset'),
    {
      title: 'LPUSH (needed to benchmark LRANGE)',
      names: ['lrange', 'lrange_100', 'lrange_300', 'lrange_500', 'lrange_600'],
      command: ['LPUSH', 'mylist', data],
    },
    lrange(100),
    lrange(300),
    lrange(500),
    lrange(600),
    {
      title: 'MSET (10 keys)',
      names: ['mset'],
      command: ['MSET', ...Array.from({ length: 10 }, () => [key, data]).flat()],
    },
  ];
}

/** `bytes` characters of letters, digits and signs, the same in every run. */
export function payload(bytes: number): string {
  let state = 1234;
  const characters = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    characters[i] = 48 + ((state >>> 16) & 63);
  }
  return Buffer.from(characters).toString('latin1');
}
