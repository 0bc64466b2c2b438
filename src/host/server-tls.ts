// TLS options as the command line programs take them, turned into what the client takes. Loaded only when TLS is asked for.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsTarget } from '../../server/net/client.ts';

export interface TlsOptions {
  serverName?: string;
  caFile?: string;
  caDirectory?: string;
  certFile?: string;
  keyFile?: string;
  ciphers?: string;
  cipherSuites?: string;
  insecure?: boolean;
}

/** Reads the files named. @throws the system's error when one is not readable */
export function readTlsOptions(options: TlsOptions): TlsTarget {
  const target: TlsTarget = {};
  const ca: Buffer[] = [];
  if (options.caFile !== undefined) ca.push(readFileSync(options.caFile));
  if (options.caDirectory !== undefined) {
    for (const name of readdirSync(options.caDirectory)) {
      if (/\.(pem|crt|cer|\d+)$/.test(name)) ca.push(readFileSync(join(options.caDirectory, name)));
    }
  }
  if (ca.length > 0) target.ca = ca;
  if (options.certFile !== undefined) target.cert = readFileSync(options.certFile);
  if (options.keyFile !== undefined) target.key = readFileSync(options.keyFile);
  if (options.serverName !== undefined) target.servername = options.serverName;
  if (options.insecure) target.rejectUnauthorized = false;
  const ciphers = [options.cipherSuites, options.ciphers].filter((list) => list !== undefined).join(':');
  if (ciphers !== '') target.ciphers = ciphers;
  return target;
}
