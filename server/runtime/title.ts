// The process's name in the list of processes.

import { mainAddress } from './listening.ts';
import { setTitle } from './process-control.ts';
import type { Server } from './server.ts';

/** Names the process as set-proc-title and proc-title-template say. */
export function showTitle(server: Server): void {
  const { settings } = server;
  if (!settings.setProcTitle) return;
  setTitle(settings.string('proc-title-template'), {
    title: 'tsredis-server',
    'listen-addr': mainAddress(server),
    'server-mode': '',
    port: String(settings.port),
    'tls-port': String(settings.tlsPort),
    unixsocket: settings.string('unixsocket'),
    'config-file': settings.configFile ?? '',
  });
}
