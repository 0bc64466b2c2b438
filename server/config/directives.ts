// THE table of directives. The configuration file, argv, CONFIG GET, SET and REWRITE, the generated redis.conf and setup's
// prompts are all views of it. Defaults are those of Redis 7.2.
import {
  boolKind,
  type Directive,
  type DirectiveFlags,
  enumKind,
  flagsKind,
  integerKind,
  memoryKind,
  octalKind,
  stringKind,
} from './directive.ts';
import {
  bindKind,
  eventsKind,
  oomValuesKind,
  outputBufferDefault,
  outputBufferKind,
  percentilesKind,
  type ReplicaOf,
  replicaOfKind,
  saveDefault,
  saveKind,
} from './special-kinds.ts';
import { INT_MAX, INT_MIN, type Limit, LONG_MAX, UINT_MAX, ULONG_MAX, ValueError } from './values.ts';

interface Extra extends DirectiveFlags {
  readonly alias?: string;
  readonly alwaysWritten?: true;
}

const immutable = { immutable: true } as const;
const hidden = { hidden: true, debug: true } as const;

const PORT_MAX = 65535;
const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;

const networkGroup = section('network', [
  row('bind', bindKind, ['*', '-::*'], 'Addresses to listen on; a leading - lets one be missing.'),
  row('bind-source-addr', stringKind(), '', 'Local address for outgoing connections, such as to a primary.'),
  bool('protected-mode', true, 'Without a password, talk to this machine only.'),
  int('port', 6379, 0, PORT_MAX, 'TCP port for clients; 0 listens on none.'),
  int('tcp-backlog', 511, 0, INT_MAX, 'Connections the kernel may hold before they are accepted.', immutable),
  row('unixsocket', stringKind(undefined, 'path'), '', 'Path of a Unix socket to listen on as well.', immutable),
  row('unixsocketperm', octalKind(0o777), 0, 'Mode of the Unix socket in octal; 0 leaves it to the umask.', immutable),
  int('timeout', 0, 0, INT_MAX, 'Seconds after which an idle client is closed; 0 is never.'),
  int('tcp-keepalive', 300, 0, INT_MAX, 'Seconds between probes that find dead peers; 0 sends none.'),
  int('socket-mark-id', 0, 0, UINT_MAX, 'Mark on sockets for the packet filter; 0 sets none.', immutable),
]);

const tlsGroup = section('tls', [
  int('tls-port', 0, 0, PORT_MAX, 'TCP port for TLS clients; 0 listens on none.'),
  text('tls-cert-file', '', 'Certificate in PEM form.', 'path'),
  text('tls-key-file', '', 'Private key of the certificate.', 'path'),
  secret('tls-key-file-pass', 'Passphrase of the private key.'),
  text('tls-client-cert-file', '', 'Certificate for outgoing connections, when it is another one.', 'path'),
  text('tls-client-key-file', '', 'Private key for outgoing connections.', 'path'),
  secret('tls-client-key-file-pass', 'Passphrase of that private key.'),
  text('tls-dh-params-file', '', 'Diffie-Hellman parameters for old peers.', 'path'),
  text('tls-ca-cert-file', '', 'Certificates of the authorities that peers are checked against.', 'path'),
  text('tls-ca-cert-dir', '', 'Directory of such certificates.', 'path'),
  choice('tls-auth-clients', 'yes', ['no', 'yes', 'optional'], 'Whether clients must show a certificate.'),
  bool('tls-replication', false, 'Use TLS towards the primary.'),
  bool('tls-cluster', false, 'Use TLS on the cluster bus.'),
  text('tls-protocols', '', 'TLS versions to allow; empty takes the safe ones.'),
  text('tls-ciphers', '', 'Ciphers to allow up to TLS 1.2.'),
  text('tls-ciphersuites', '', 'Cipher suites to allow for TLS 1.3.'),
  bool('tls-prefer-server-ciphers', false, "Let the server's order of ciphers win."),
  bool('tls-session-caching', true, 'Let clients resume a session.'),
  int('tls-session-cache-size', 20 * KB, 0, INT_MAX, 'Sessions kept for that.'),
  int('tls-session-cache-timeout', 300, 0, INT_MAX, 'Seconds a session is kept.'),
]);

const generalGroup = section('general', [
  bool('daemonize', false, 'Go to the background at start.', immutable),
  choice('supervised', 'no', ['upstart', 'systemd', 'auto', 'no'], 'Tell the service manager when ready.', immutable),
  row('pidfile', stringKind(undefined, 'path'), '', 'File that holds the process id while the server runs.', immutable),
  choice('loglevel', 'notice', ['debug', 'verbose', 'notice', 'warning', 'nothing'], 'How much to log.'),
  row('logfile', stringKind(undefined, 'path'), '', 'File to log to; empty is standard output.', immutable),
  bool('syslog-enabled', false, 'Log to the system log too.', immutable),
  text('syslog-ident', 'redis', 'Name in the system log.', 'string', immutable),
  choice(
    'syslog-facility',
    'local0',
    ['user', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
    'Facility in the system log.',
    immutable,
  ),
  bool('crash-log-enabled', true, 'Log the state of the server when it crashes.'),
  bool('crash-memcheck-enabled', true, 'Test memory after a crash.'),
  int('databases', 16, 1, INT_MAX, 'Number of databases, chosen with SELECT.', immutable),
  bool('always-show-logo', false, 'Draw the logo in the log at every start.', immutable),
  bool('set-proc-title', true, 'Show address and mode in the list of processes.', immutable),
  row(
    'proc-title-template',
    stringKind(checkTitleTemplate),
    '{title} {listen-addr} {server-mode}',
    'What the list of processes shows.',
  ),
  text('locale-collate', '', "Locale for SORT ALPHA; empty takes the environment's."),
  text('ignore-warnings', '', 'Start-up warnings to leave out.'),
]);

const snapshotGroup = section('snapshotting', [
  row('save', saveKind, saveDefault, 'Save after this many seconds with at least this many changes; "" never.'),
  bool('stop-writes-on-bgsave-error', true, 'Refuse writes while saving fails, so that nobody relies on lost data.'),
  bool('rdbcompression', true, 'Compress strings in the dump.'),
  bool('rdbchecksum', true, 'End the dump with a checksum.', immutable),
  choice('sanitize-dump-payload', 'no', ['no', 'yes', 'clients'], 'Check RESTORE and dumps deeply.', {
    debug: true,
  }),
  row('dbfilename', stringKind(fileNameOnly('dbfilename')), 'dump.rdb', 'Name of the dump in dir.', {
    protected: true,
  }),
  int('rdb-version', 10, 10, 12, 'Version of dumps, 10 (Redis 7.0 loads it) to 12; hash fields that expire need 12.'),
  choice('rdb-module-values', 'refuse', ['refuse', 'skip'], 'What to do with values of modules in a dump.'),
  bool('rdb-del-sync-files', false, 'Delete dumps that only served a full synchronisation.'),
  bool('rdb-save-incremental-fsync', true, 'Flush the dump to disk piece by piece.'),
  row('dir', stringKind(undefined, 'path'), '', 'Working directory: dump, append-only files and relative paths.', {
    protected: true,
    denyLoading: true,
    alwaysWritten: true,
  }),
]);

const replicationGroup = section('replication', [
  row('replicaof', replicaOfKind, undefined as ReplicaOf, 'Host and port of the primary to copy.', {
    alias: 'slaveof',
    immutable: true,
  }),
  secret('masterauth', 'Password for the primary.'),
  text('masteruser', '', 'User for the primary.', 'string', { sensitive: true }),
  bool('replica-serve-stale-data', true, 'Answer reads while the primary is out of reach.', {
    alias: 'slave-serve-stale-data',
  }),
  bool('replica-read-only', true, 'Refuse writes on a replica.', { alias: 'slave-read-only' }),
  bool('repl-diskless-sync', true, 'Stream the dump to replicas instead of writing it first.'),
  int('repl-diskless-sync-delay', 5, 0, INT_MAX, 'Seconds to wait for more replicas before streaming.'),
  int('repl-diskless-sync-max-replicas', 0, 0, INT_MAX, 'Replicas that end the wait early; 0 waits it out.'),
  choice('repl-diskless-load', 'disabled', ['disabled', 'on-empty-db', 'swapdb'], 'How a replica loads a stream.', {
    debug: true,
    denyLoading: true,
  }),
  int('repl-ping-replica-period', 10, 1, INT_MAX, 'Seconds between pings to replicas.', {
    alias: 'repl-ping-slave-period',
  }),
  int('repl-timeout', 60, 1, INT_MAX, 'Seconds of silence after which the link counts as down.'),
  bool('repl-disable-tcp-nodelay', false, 'Send fewer, larger packets to replicas, later.'),
  mem('repl-backlog-size', MB, 1, LONG_MAX, 'Bytes kept for replicas that reconnect.'),
  int('repl-backlog-ttl', 3600, 0, LONG_MAX, 'Seconds without replicas after which they are freed; 0 is never.'),
  int('replica-priority', 100, 0, INT_MAX, 'Smaller is promoted first by Sentinel; 0 never.', {
    alias: 'slave-priority',
  }),
  bool('replica-announced', true, 'Let Sentinel see this replica.'),
  bool('replica-ignore-disk-write-errors', false, 'Follow the primary even when the disk fails.'),
  int('min-replicas-to-write', 0, 0, INT_MAX, 'Replicas that must be there for writes to be taken.', {
    alias: 'min-slaves-to-write',
  }),
  int('min-replicas-max-lag', 10, 0, INT_MAX, 'Seconds a replica may lag to count for that.', {
    alias: 'min-slaves-max-lag',
  }),
  text('replica-announce-ip', '', 'Address to report to the primary.', 'string', { alias: 'slave-announce-ip' }),
  int('replica-announce-port', 0, 0, PORT_MAX, 'Port to report to the primary.', { alias: 'slave-announce-port' }),
  bool('replica-ignore-maxmemory', true, 'Leave eviction to the primary.', { alias: 'slave-ignore-maxmemory' }),
  choice(
    'propagation-error-behavior',
    'ignore',
    ['ignore', 'panic', 'panic-on-replicas'],
    'What to do when a replicated command fails.',
    { debug: true },
  ),
]);

const securityGroup = section('security', [
  secret('requirepass', 'Password of the default user.', { volatile: true }),
  row('aclfile', stringKind(undefined, 'path'), '', 'File of users, instead of user lines here.', immutable),
  int('acllog-max-len', 128, 0, LONG_MAX, 'Entries in ACL LOG.'),
  choice('acl-pubsub-default', 'resetchannels', ['allchannels', 'resetchannels'], 'Channels of new users.'),
  int('tracking-table-max-keys', 1_000_000, 0, LONG_MAX, 'Keys remembered for client-side caching; 0 is no limit.'),
  choice('enable-protected-configs', 'no', ['no', 'yes', 'local'], 'Who may set protected directives.', immutable),
  choice('enable-debug-command', 'no', ['no', 'yes', 'local'], 'Who may use DEBUG.', immutable),
  choice('enable-module-command', 'no', ['no', 'yes', 'local'], 'Who may use MODULE.', immutable),
]);

const clientsGroup = section('clients', [
  int('maxclients', 10_000, 1, UINT_MAX, 'Clients connected at once.'),
  row(
    'client-output-buffer-limit',
    outputBufferKind,
    outputBufferDefault,
    'Close a client whose unread replies pass these bytes: class hard soft soft-seconds.',
  ),
  mem('client-query-buffer-limit', GB, MB, LONG_MAX, 'Bytes of one unfinished command.'),
  mem('proto-max-bulk-len', 512 * MB, MB, LONG_MAX, 'Bytes of one argument.'),
  mem(
    'maxmemory-clients',
    0,
    0,
    LONG_MAX,
    'Bytes for buffers of all clients, or a percentage; 0 is no limit.',
    {},
    true,
  ),
]);

const memoryGroup = section('memory', [
  mem('maxmemory', 0, 0, ULONG_MAX, 'Bytes of data after which keys are evicted; 0 is no limit.'),
  choice(
    'maxmemory-policy',
    'noeviction',
    [
      'volatile-lru',
      'volatile-lfu',
      'volatile-random',
      'volatile-ttl',
      'allkeys-lru',
      'allkeys-lfu',
      'allkeys-random',
      'noeviction',
    ],
    'Which keys go when memory is full.',
  ),
  int('maxmemory-samples', 5, 1, INT_MAX, 'Keys compared to choose one to evict.'),
  int('maxmemory-eviction-tenacity', 10, 0, 100, 'How much time eviction may take.'),
  int('active-expire-effort', 1, 1, 10, 'How hard to look for expired keys.'),
  int('lfu-log-factor', 10, 0, INT_MAX, 'How slowly the usage counter grows.'),
  int('lfu-decay-time', 1, 0, INT_MAX, 'Minutes after which the usage counter shrinks.'),
  bool('lazyfree-lazy-eviction', false, 'Free evicted values in the background.'),
  bool('lazyfree-lazy-expire', false, 'Free expired values in the background.'),
  bool('lazyfree-lazy-server-del', false, 'Free overwritten values in the background.'),
  bool('replica-lazy-flush', false, 'Free old data in the background before a full synchronisation.', {
    alias: 'slave-lazy-flush',
  }),
  bool('lazyfree-lazy-user-del', false, 'Let DEL work as UNLINK.'),
  bool('lazyfree-lazy-user-flush', false, 'Let FLUSHALL work as FLUSHALL ASYNC.'),
  bool('activedefrag', false, 'Defragment memory while running.', { debug: true }, refuseDefrag),
  mem('active-defrag-ignore-bytes', 100 * MB, 1, LONG_MAX, 'Waste below which nothing is defragmented.'),
  int('active-defrag-threshold-lower', 10, 0, 1000, 'Percentage of waste at which it starts.'),
  int('active-defrag-threshold-upper', 100, 0, 1000, 'Percentage of waste at which it works hardest.'),
  int('active-defrag-cycle-min', 1, 1, 99, 'Percentage of a core at the lower threshold.'),
  int('active-defrag-cycle-max', 25, 1, 99, 'Percentage of a core at the upper threshold.'),
  int('active-defrag-max-scan-fields', 1000, 1, LONG_MAX, 'Fields of a big value to look at in one go.'),
  bool('jemalloc-bg-thread', true, "Let Redis' allocator clean up in the background; no effect here."),
]);

const systemGroup = section('system', [
  int('io-threads', 1, 1, 128, 'Threads for reading and writing sockets.', { immutable: true, debug: true }),
  bool('io-threads-do-reads', false, 'Let these threads read, too.', { immutable: true, debug: true }),
  choice('oom-score-adj', 'no', ['no', 'yes', 'relative', 'absolute'], "Whether to set the kernel's OOM score."),
  row(
    'oom-score-adj-values',
    oomValuesKind,
    ['0', '200', '800'],
    'OOM score of a primary, a replica and a background save.',
  ),
  bool('disable-thp', true, 'Turn transparent huge pages off for this process.', immutable),
  text('server_cpulist', '', 'Processors for the server.', 'string', immutable),
  text('bio_cpulist', '', 'Processors for background work.', 'string', immutable),
  text('aof_rewrite_cpulist', '', 'Processors for rewriting the append-only file.', 'string', immutable),
  text('bgsave_cpulist', '', 'Processors for saving.', 'string', immutable),
  int('hz', 10, 0, INT_MAX, 'Rounds of background work in a second.'),
  bool('dynamic-hz', true, 'More rounds when there are many clients.'),
  bool('activerehashing', true, 'Spend idle time on growing tables.'),
]);

const appendGroup = section('appendonly', [
  bool('appendonly', false, 'Log every write, so that a crash loses little.', { denyLoading: true }),
  row(
    'appendfilename',
    stringKind(fileNameOnly('appendfilename', true)),
    'appendonly.aof',
    'Base name of these logs.',
    {
      immutable: true,
    },
  ),
  row(
    'appenddirname',
    stringKind(fileNameOnly('appenddirname', true)),
    'appendonlydir',
    'Their directory, inside dir.',
    immutable,
  ),
  choice('appendfsync', 'everysec', ['everysec', 'always', 'no'], 'When to force the log to disk.'),
  bool('no-appendfsync-on-rewrite', false, 'Do not force it while saving or rewriting.'),
  int('auto-aof-rewrite-percentage', 100, 0, INT_MAX, 'Growth that starts a rewrite; 0 is never.'),
  mem('auto-aof-rewrite-min-size', 64 * MB, 0, LONG_MAX, 'Size below which no rewrite starts.'),
  bool('aof-load-truncated', true, 'Load a log whose end is cut off.'),
  bool('aof-use-rdb-preamble', true, 'Begin a rewritten log with a dump.'),
  bool('aof-timestamp-enabled', false, 'Note the time in the log, for recovery to a moment.'),
  bool('aof-rewrite-incremental-fsync', true, 'Flush a rewrite to disk piece by piece.'),
  bool('aof-disable-auto-gc', false, 'Keep old logs after a rewrite.', { debug: true }),
]);

const shutdownWords = ['default', 'save', 'nosave', 'now', 'force'];
const shutdownKind = flagsKind(shutdownWords, (chosen) => {
  if (chosen.has('save') && chosen.has('nosave')) {
    throw new ValueError("shutdown options SAVE and NOSAVE can't be used simultaneously");
  }
});

const lifeGroup = section('shutdown', [
  int('shutdown-timeout', 10, 0, INT_MAX, 'Seconds to wait for replicas before the server ends.'),
  row('shutdown-on-sigint', shutdownKind, [] as readonly string[], 'What SIGINT does.'),
  row('shutdown-on-sigterm', shutdownKind, [] as readonly string[], 'What SIGTERM does.'),
]);

const scriptingGroup = section('scripting', [
  int('busy-reply-threshold', 5000, 0, LONG_MAX, 'Milliseconds after which a script may be killed.', {
    alias: 'lua-time-limit',
  }),
  bool('lua-enable-deprecated-api', false, 'Keep removed parts of the scripting interface.', {
    immutable: true,
    ...hidden,
  }),
]);

const clusterGroup = section('cluster', [
  bool('cluster-enabled', false, 'Be a node of a cluster.', immutable),
  text('cluster-config-file', 'nodes.conf', "The cluster's own state file.", 'path', immutable),
  int('cluster-node-timeout', 15_000, 0, LONG_MAX, 'Milliseconds after which a node counts as failing.'),
  int('cluster-port', 0, 0, PORT_MAX, 'Port of the cluster bus; 0 is port plus 10000.', immutable),
  int('cluster-replica-validity-factor', 10, 0, INT_MAX, 'How old data may be for a failover.', {
    alias: 'cluster-slave-validity-factor',
  }),
  int('cluster-migration-barrier', 1, 0, INT_MAX, 'Replicas a primary keeps for itself.'),
  bool('cluster-allow-replica-migration', true, 'Let replicas move to primaries without one.'),
  bool('cluster-require-full-coverage', true, 'Stop when some slots have no node.'),
  bool('cluster-replica-no-failover', false, 'Never fail over by itself.', { alias: 'cluster-slave-no-failover' }),
  bool('cluster-allow-reads-when-down', false, 'Answer reads while the cluster is down.'),
  bool('cluster-allow-pubsubshard-when-down', true, 'Carry sharded pub/sub while the cluster is down.'),
  mem('cluster-link-sendbuf-limit', 0, 0, ULONG_MAX, 'Bytes for a slow link of the bus; 0 is no limit.'),
  text('cluster-announce-ip', '', 'Address to announce.'),
  int('cluster-announce-port', 0, 0, PORT_MAX, 'Port to announce.'),
  int('cluster-announce-tls-port', 0, 0, PORT_MAX, 'TLS port to announce.'),
  int('cluster-announce-bus-port', 0, 0, PORT_MAX, 'Bus port to announce.'),
  row('cluster-announce-hostname', stringKind(checkHostname), '', 'Host name to announce.'),
  text('cluster-announce-human-nodename', '', 'Name for people, shown in logs.'),
  choice(
    'cluster-preferred-endpoint-type',
    'ip',
    ['ip', 'hostname', 'unknown-endpoint'],
    'What clients are redirected to.',
  ),
]);

const observeGroup = section('observability', [
  int('slowlog-log-slower-than', 10_000, -1, LONG_MAX, 'Microseconds that make a command slow; -1 logs none.'),
  int('slowlog-max-len', 128, 0, LONG_MAX, 'Entries in SLOWLOG.'),
  int('latency-monitor-threshold', 0, 0, LONG_MAX, 'Milliseconds that make an event worth noting; 0 is off.'),
  bool('latency-tracking', true, 'Keep a histogram of times for each command.'),
  row(
    'latency-tracking-info-percentiles',
    percentilesKind,
    ['50', '99', '99.9'],
    'Percentiles that INFO latencystats shows.',
  ),
  row('notify-keyspace-events', eventsKind, '', 'Classes of key events to publish; "" publishes none.'),
]);

const encodingGroup = section('encoding', [
  int('hash-max-listpack-entries', 512, 0, LONG_MAX, 'Fields up to which a hash is kept compact.', {
    alias: 'hash-max-ziplist-entries',
  }),
  mem('hash-max-listpack-value', 64, 0, LONG_MAX, 'Bytes of a field or value up to which it is.', {
    alias: 'hash-max-ziplist-value',
  }),
  int('list-max-listpack-size', -2, INT_MIN, INT_MAX, 'Entries of a list node, or -1 to -5: 4 kb to 64 kb.', {
    alias: 'list-max-ziplist-size',
  }),
  int('list-compress-depth', 0, 0, INT_MAX, 'Nodes at each end of a list left uncompressed; 0 compresses none.'),
  int('set-max-intset-entries', 512, 0, LONG_MAX, 'Integers up to which a set is kept compact.'),
  int('set-max-listpack-entries', 128, 0, LONG_MAX, 'Members up to which another set is kept compact.'),
  mem('set-max-listpack-value', 64, 0, LONG_MAX, 'Bytes of a member up to which it is.'),
  int('zset-max-listpack-entries', 128, 0, LONG_MAX, 'Members up to which a sorted set is kept compact.', {
    alias: 'zset-max-ziplist-entries',
  }),
  mem('zset-max-listpack-value', 64, 0, LONG_MAX, 'Bytes of a member up to which it is.', {
    alias: 'zset-max-ziplist-value',
  }),
  mem('hll-sparse-max-bytes', 3000, 0, LONG_MAX, 'Bytes up to which a HyperLogLog is kept sparse.'),
  mem('stream-node-max-bytes', 4 * KB, 0, LONG_MAX, 'Bytes of a stream node.'),
  int('stream-node-max-entries', 100, 0, LONG_MAX, 'Entries of a stream node.'),
]);

const debugGroup = section('debugging', [
  int('key-load-delay', 0, INT_MIN, INT_MAX, 'Microseconds to wait for each key while loading.', hidden),
  int('rdb-key-save-delay', 0, INT_MIN, INT_MAX, 'Microseconds to wait for each key while saving.', hidden),
  int('loading-process-events-interval-bytes', 2 * MB, KB, INT_MAX, 'Bytes loaded between answers.', hidden),
  int('watchdog-period', 0, 0, INT_MAX, 'Milliseconds after which a stuck command is reported.', hidden),
  bool('use-exit-on-panic', false, 'Exit instead of dumping core.', hidden),
]);

/** Every directive, in the order of the generated file. */
export const directives = [
  ...networkGroup,
  ...tlsGroup,
  ...generalGroup,
  ...snapshotGroup,
  ...replicationGroup,
  ...securityGroup,
  ...clientsGroup,
  ...memoryGroup,
  ...systemGroup,
  ...appendGroup,
  ...lifeGroup,
  ...scriptingGroup,
  ...clusterGroup,
  ...observeGroup,
  ...encodingGroup,
  ...debugGroup,
] as const;

/** The rows of the table as a type: name and value type of each directive. */
export type DirectiveRow = (typeof directives)[number];
export type DirectiveName = DirectiveRow['name'];

/** What each group is about, for the generated file. */
export const groupTitles: Readonly<Record<string, string>> = {
  network: 'Network',
  tls: 'TLS',
  general: 'General',
  snapshotting: 'Snapshots on disk',
  replication: 'Replication',
  security: 'Security',
  clients: 'Clients and their limits',
  memory: 'Memory: limit, eviction, freeing',
  system: 'Operating system and background work',
  appendonly: 'Append-only file',
  shutdown: 'Shutdown',
  scripting: 'Scripts',
  cluster: 'Cluster',
  observability: 'Slow log, latency, events',
  encoding: 'Compact encodings',
  debugging: 'Debugging',
};

/** Old directives that Redis still accepts, with one argument, and ignores. */
export const ignoredDirectives: ReadonlySet<string> = new Set([
  'list-max-ziplist-entries',
  'list-max-ziplist-value',
  'lua-replicate-commands',
]);

// How a row is written; the value type and the literal name are kept for DirectiveRow.

type Ungrouped<N extends string, V> = Omit<Directive<N, V>, 'group'>;

function row<const N extends string, V>(
  name: N,
  kind: Directive<N, V>['kind'],
  initial: NoInfer<V>,
  about: string,
  extra: Extra = {},
): Ungrouped<N, V> {
  return { name, kind, initial, about, ...extra };
}

function bool<const N extends string>(
  name: N,
  initial: boolean,
  about: string,
  extra: Extra = {},
  check?: (value: boolean) => void,
): Ungrouped<N, boolean> {
  const kind = check === undefined ? boolKind : { ...boolKind, parse: checked(check) };
  return { name, kind, initial, about, ...extra };
}

function checked(check: (value: boolean) => void) {
  return (args: readonly string[], previous: boolean, atLoad: boolean): boolean => {
    const value = boolKind.parse(args, previous, atLoad);
    check(value);
    return value;
  };
}

function int<const N extends string>(
  name: N,
  initial: number,
  min: Limit,
  max: Limit,
  about: string,
  extra: Extra = {},
): Ungrouped<N, number> {
  return { name, kind: integerKind(min, max), initial, about, ...extra };
}

function mem<const N extends string>(
  name: N,
  initial: number,
  min: Limit,
  max: Limit,
  about: string,
  extra: Extra = {},
  percent = false,
): Ungrouped<N, number> {
  return { name, kind: memoryKind(min, max, percent), initial, about, ...extra };
}

function text<const N extends string>(
  name: N,
  initial: string,
  about: string,
  type = 'string',
  extra: Extra = {},
): Ungrouped<N, string> {
  return { name, kind: stringKind(undefined, type), initial, about, ...extra };
}

function secret<const N extends string>(name: N, about: string, extra: Extra = {}): Ungrouped<N, string> {
  return text(name, '', about, 'string', { sensitive: true, ...extra });
}

function choice<const N extends string, const W extends string>(
  name: N,
  initial: NoInfer<W>,
  words: readonly W[],
  about: string,
  extra: Extra = {},
): Ungrouped<N, string> {
  return { name, kind: enumKind(words), initial, about, ...extra };
}

function section<const R extends readonly { readonly name: string }[]>(
  group: string,
  rows: R,
): { readonly [I in keyof R]: R[I] & { readonly group: string } } {
  return rows.map((item) => ({ ...item, group })) as unknown as {
    readonly [I in keyof R]: R[I] & { readonly group: string };
  };
}

// Checks of single directives; they throw with Redis' text.

function fileNameOnly(name: string, required = false) {
  return (value: string): void => {
    if (required && value === '') throw new ValueError(`${name} can't be empty`);
    if (value.includes('/')) throw new ValueError(`${name} can't be a path, just a filename`);
  };
}

function checkTitleTemplate(template: string): void {
  const known = ['title', 'listen-addr', 'server-mode', 'port', 'tls-port', 'unixsocket', 'config-file'];
  const rest = template.replace(/\{([^{}]*)\}/g, (whole, name: string) => (known.includes(name) ? '' : whole));
  if (template === '' || /[{}]/.test(rest)) {
    throw new ValueError('template format is invalid or contains unknown variables');
  }
}

function checkHostname(name: string): void {
  if (name.length >= 256) throw new ValueError('Hostnames must be less than 256 characters');
  if (!/^[a-zA-Z0-9.-]*$/.test(name)) {
    throw new ValueError('Hostnames may only contain alphanumeric characters, hyphens or dots');
  }
}

function refuseDefrag(value: boolean): void {
  if (value) {
    throw new ValueError(
      'Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc like the one shipped by default with the Redis source distribution',
    );
  }
}
