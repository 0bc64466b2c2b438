// redis://[[user]:password@]host[:port][/database] and rediss:// for TLS, as the command line programs take it.

export interface ServerUri {
  tls: boolean;
  user?: string;
  password?: string;
  host?: string;
  port?: number;
  database?: number;
}

/** Returns what the URI names and leaves out what it does not; undefined for another scheme. */
export function parseServerUri(uri: string): ServerUri | undefined {
  const scheme = /^rediss?:\/\//.exec(uri)?.[0];
  if (scheme === undefined) return undefined;
  const result: ServerUri = { tls: scheme === 'rediss://' };
  let rest = uri.slice(scheme.length);
  const at = rest.indexOf('@');
  if (at >= 0) {
    const colon = rest.slice(0, at).indexOf(':');
    if (colon > 0) result.user = decodePercent(rest.slice(0, colon));
    result.password = decodePercent(rest.slice(colon + 1, at));
    rest = rest.slice(at + 1);
  }
  const slash = rest.indexOf('/');
  const address = slash < 0 ? rest : rest.slice(0, slash);
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host) result.host = host;
  if (port) result.port = Number.parseInt(port, 10) || 0;
  if (slash >= 0 && slash + 1 < rest.length) result.database = Number.parseInt(rest.slice(slash + 1), 10) || 0;
  return result;
}

/** Decodes %XX; anything else stays as it is, so that a stray percent sign does no harm. */
function decodePercent(text: string): string {
  const bytes = Buffer.from(
    Buffer.from(text, 'utf8')
      .toString('latin1')
      .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  return bytes.toString('utf8');
}
