// From settings to a server that answers: the order of a start, and of an end.

import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { ShutdownOptions } from '../commands/services.ts';
import type { Settings } from '../config/settings.ts';
import { AccessControl } from './acl.ts';
import { applySettings } from './apply.ts';
import { Configuration } from './configuration.ts';
import { catchCrashes } from './crash-report.ts';
import { Cron } from './cron.ts';
import { DebugTools } from './debug-tools.ts';
import { Evictor } from './evict.ts';
import type { Host } from './host.ts';
import { Info } from './info.ts';
import { addSections } from './info-sections.ts';
import { listenAll, listenAnew } from './listening.ts';
import type { Log } from './log.ts';
import { MemoryReport } from './memory-report.ts';
import { createPersistence, type Persistence } from './persistence.ts';
import { notifyManager, removePidFile, writePidFile } from './process-control.ts';
import { Replication } from './replication.ts';
import { Server } from './server.ts';
import { Shutdown } from './shutdown.ts';
import { showTitle } from './title.ts';

/** Descriptors the server needs beside its clients. */
const RESERVED_DESCRIPTORS = 32;

/**
 * Starts the server; the promise is kept once it serves. Exits the process when it cannot. `configured`: a file or options
 * were given.
 */
export async function startServer(settings: Settings, host: Host, log: Log, configured: boolean): Promise<Server> {
  const server = new Server(settings, host, log);
  const evictor = new Evictor(server);
  const cron = new Cron(server, evictor);
  const auth = new AccessControl(server);
  const persistence = createPersistence(server);
  const replication = new Replication(server, persistence);
  const info = new Info(() => {
    server.stats.reset();
    auth.resetCounts();
    server.eviction.evicted = 0;
    server.lazyFree.freed = 0;
    server.latency.resetHistograms();
    for (const command of server.allCommands()) {
      Object.assign(command.stats, { calls: 0, microseconds: 0, rejectedCalls: 0, failedCalls: 0 });
    }
    Object.assign(replication.primary.stats, { full: 0, partialOk: 0, partialError: 0 });
    Object.assign(server.keyspace.stats, { expiredKeys: 0, evictedKeys: 0, hits: 0, misses: 0 });
  });
  addSections(info, server, {
    persistence: () => persistence.infoLines(),
    replication,
    configFile: settings.configFile ?? '',
  });
  const configuration = new Configuration(
    settings,
    () => ({ local: server.currentIsLocal(), loading: server.loading || server.loadingAside }),
    () => host.randomBytes(8).toString('hex'),
    (directive) => listenAnew(server, directive),
  );
  const memory = new MemoryReport(server);
  const debug = new DebugTools(server, cron);
  server.install({ persistence, replication, values: persistence.values, info, auth, configuration, memory, debug });
  configuration.users = () => auth.ruleLines();
  server.evict = evictor.makeRoom;
  server.systemMemory = totalmem();
  server.stats.startedAtMs = host.now();
  applySettings({ server, cron, evictor, auth });
  limitClients(server);
  cron.tasks.push((nowMs) => persistence.cron(nowMs));
  cron.tasks.push((nowMs) => replication.cron(nowMs));
  cron.tasks.push((nowMs) => replication.linkCron(nowMs));
  replication.prepare();
  const shutdown = new Shutdown(server, persistence, replication);
  server.ending = shutdown;
  cron.tasks.push((nowMs) => shutdown.tick(nowMs));

  announce(server, configured);
  admitUsers(server, auth);
  // Clients may come as soon as the first socket listens: nobody is served before the data is there.
  server.loading = true;
  const reason = await listenAll(server);
  if (reason !== null) {
    server.log('warning', reason);
    process.exit(1);
  }
  showPlace(server);
  takePlace(server);
  catchSignals(server, cron, shutdown);
  catchCrashes(server);
  server.baseMemory = server.usedMemory();
  await load(server, persistence);
  cron.start();
  ready(server);
  replication.begin(persistence.loadedDump);
  return server;
}

/** Takes the users of the configuration in, or ends the start. */
function admitUsers(server: Server, auth: AccessControl): void {
  const problem = auth.start();
  if (problem === null) return;
  server.log('warning', problem);
  process.exit(1);
}

async function load(server: Server, persistence: Persistence): Promise<void> {
  const failure = await persistence.load();
  server.loading = false;
  if (failure === null) return;
  for (const line of failure.split('\n')) server.log('warning', line);
  process.exit(1);
}

function announce(server: Server, configured: boolean): void {
  const { log } = server;
  log('notice', 'oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo');
  log(
    'notice',
    `Redis version=${server.identity.redisVersion}, bits=64, commit=00000000, modified=0, pid=${process.pid}, just started`,
  );
  if (!configured) {
    log(
      'warning',
      'Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf',
    );
  } else log('notice', 'Configuration loaded');
  log('notice', `monotonic clock: node ${process.versions.node} performance.now`);
}

/** Says where the server is to be found, once it listens: who waits for these lines connects at once. */
function showPlace(server: Server): void {
  const { log, settings, host } = server;
  const port = Number(settings.port);
  const toTerminal = settings.logfile === '' && process.stdout.isTTY === true;
  if (!toTerminal && !settings.alwaysShowLogo) log('notice', `Running mode=standalone, port=${port}.`);
  else {
    server.logger.raw(
      `\n    tsredis ${host.tsredisVersion}  (Redis ${server.identity.redisVersion}, 64 bit)\n` +
        `    Running in standalone mode\n    Port: ${port}\n    PID: ${process.pid}\n\n`,
    );
  }
}

/** Pid file, and the name in the process list. */
function takePlace(server: Server): void {
  const { settings } = server;
  const pidFile = settings.string('pidfile') || (settings.daemonize ? '/var/run/redis.pid' : '');
  if (pidFile !== '') {
    const problem = writePidFile(pidFile);
    if (problem !== null) server.log('warning', problem);
  }
  showTitle(server);
}

function ready(server: Server): void {
  const { settings, log } = server;
  log('notice', 'Server initialized');
  if (Number(settings.port) !== 0) log('notice', 'Ready to accept connections tcp');
  if (settings.unixsocket !== '') log('notice', 'Ready to accept connections unix');
  notifyManager(process.env, 'STATUS=Ready to accept connections\nREADY=1\n');
}

/** Lowers maxclients to what the limit of open files allows. */
function limitClients(server: Server): void {
  const wanted = Number(server.settings.maxclients);
  const files = openFilesMax();
  if (files === null || wanted + RESERVED_DESCRIPTORS <= files) return;
  const possible = files - RESERVED_DESCRIPTORS;
  if (possible < 1) {
    server.log(
      'warning',
      `Your current 'ulimit -n' of ${files} is not enough for the server to start. Please increase your open file limit to at least ${wanted + RESERVED_DESCRIPTORS}. Exiting.`,
    );
    process.exit(1);
  }
  server.log(
    'warning',
    `You requested maxclients of ${wanted} requiring at least ${wanted + RESERVED_DESCRIPTORS} max file descriptors. Server can't set maximum open files: maxclients has been reduced to ${possible} to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.`,
  );
  server.settings.put('maxclients', possible);
}

/** Node raises its soft limit to the hard one; /proc tells it. Null where there is no /proc. */
function openFilesMax(): number | null {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}

function catchSignals(server: Server, cron: Cron, shutdown: Shutdown): void {
  const handle = (signal: 'SIGTERM' | 'SIGINT'): void => {
    server.log('warning', `Received ${signal} scheduling shutdown...`);
    const words = signal === 'SIGTERM' ? server.settings.shutdownOnSigterm : server.settings.shutdownOnSigint;
    const has = (word: string) => (words as readonly string[]).includes(word);
    const save = has('save') ? 'save' : has('nosave') ? 'nosave' : 'default';
    const options: ShutdownOptions = { save, now: has('now'), force: has('force') };
    // The cron takes it, so that SHUTDOWN ABORT has a chance; before there is one, the end comes at once.
    if (cron.running) shutdown.asked = options;
    else shutdown.begin(options, null);
  };
  let interrupted = false;
  process.on('SIGTERM', () => handle('SIGTERM'));
  process.on('SIGINT', () => {
    if (interrupted) {
      server.log('warning', 'You insist... exiting now.');
      removePidFile(server.settings.string('pidfile'));
      process.exit(1);
    }
    interrupted = true;
    handle('SIGINT');
  });
  // A terminal that goes away must not take a server with it.
  process.on('SIGHUP', () => undefined);
}
