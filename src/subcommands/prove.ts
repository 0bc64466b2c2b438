// Proof that an instance serves: an authenticated PING, answered by the very process that was started.
import { Client } from '../../server/net/client.ts';
import { OpsError } from '../errors.ts';
import type { Instance } from '../service/instance.ts';

/** Resolves to PONG. Throws health-check when anything else answers, or another process does. */
export async function proveInstance(instance: Instance, pid: number, password: string): Promise<string> {
  const fail = (reason: string) => new OpsError('health-check', { service: instance.service, reason });
  const target = { host: '127.0.0.1', port: instance.port, ...(instance.socketPath && { path: instance.socketPath }) };
  const client = await Client.connect(target, { connectTimeoutMs: 5_000 }).catch((error: unknown) => {
    throw fail(error instanceof Error ? error.message : String(error));
  });
  try {
    const text = async (...words: string[]) => {
      const reply = await client.call(...words);
      return 'bytes' in reply ? reply.bytes.toString('utf8') : reply.kind;
    };
    if (password !== '') {
      const answer = await text('AUTH', password);
      if (answer !== 'OK') throw fail(`its password was refused: ${answer}`);
    }
    const pong = await text('PING');
    if (pong !== 'PONG') throw fail(`it answers PING with ${pong}`);
    const served = /^process_id:(\d+)/m.exec(await text('INFO', 'server'))?.[1];
    if (served !== String(pid))
      throw fail(`pid ${served ?? 'unknown'} answers on port ${instance.port}, not pid ${pid}`);
    return pong;
  } finally {
    client.close();
  }
}
