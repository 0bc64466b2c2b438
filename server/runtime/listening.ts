// Where the server listens, by the directives bind, port, unixsocket.

import type { Server } from './server.ts';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EACCES: 'Permission denied',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  ENOTFOUND: 'Name or service not known',
};

/** Listens on everything that is configured; returns the reason for the log when that fails. */
export async function listenAll(server: Server): Promise<string | null> {
  const port = Number(server.settings.port);
  if (port !== 0) {
    const reason = await listenTcp(server, port);
    if (reason !== null) return reason;
  }
  const path = server.settings.string('unixsocket');
  if (path === '') return null;
  try {
    const backlog = Number(server.settings.tcpBacklog);
    await server.listener.listenUnix(path, Number(server.settings.unixsocketperm), backlog);
    return null;
  } catch (error) {
    return `Failed opening Unix socket: bind: ${reasonOf(error)}`;
  }
}

async function listenTcp(server: Server, port: number): Promise<string | null> {
  let listening = 0;
  const addresses = server.settings.bind as readonly string[];
  for (const given of addresses) {
    const optional = given.startsWith('-');
    const name = optional ? given.slice(1) : given;
    const host = name === '*' ? '0.0.0.0' : name === '::*' ? '::' : name;
    try {
      await server.listener.listen({ port, host, backlog: Number(server.settings.tcpBacklog) });
      listening++;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      server.log(
        'warning',
        `Warning: Could not create server TCP listening socket ${name}:${port}: bind: ${reasonOf(error)}`,
      );
      const missing = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
      if (!(optional && missing)) return `Failed listening on port ${port} (TCP), aborting.`;
    }
  }
  return listening === 0 && addresses.length > 0 ? `Failed listening on port ${port} (TCP), aborting.` : null;
}

/** Listens on the new addresses after CONFIG SET port or bind; the old ones are closed first. */
export async function listenAnew(server: Server, directive: string): Promise<string | null> {
  server.listener.close();
  const reason = await listenAll(server);
  if (reason === null) return null;
  return directive === 'bind'
    ? 'Failed to bind to specified addresses.'
    : 'Unable to listen on this port. Check server logs.';
}

/** What the process list shows: the first address and the port. */
export function mainAddress(server: Server): string {
  const port = Number(server.settings.port);
  if (port === 0) return `unixsocket:${server.settings.string('unixsocket')}`;
  const first = (server.settings.bind as readonly string[])[0] ?? '*';
  return `${first.replace(/^-/, '')}:${port}`;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
