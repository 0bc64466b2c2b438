// --replica, and SYNC typed as a command: act as a replica and print the commands that the server replicates.
import { ReplyParser } from '../../../server/formats/resp/reply.ts';
import { formatReply } from '../format.ts';
import type { Session } from '../session.ts';
import { announce, receiveDump } from './replication-stream.ts';

const ACKNOWLEDGE_EVERY_MS = 1000;

export async function replicaModeFromStart(session: Session): Promise<number> {
  await session.connectOrExit();
  await announce(session, 'capa', 'eof');
  await announce(session, 'rdb-filter-only', '');
  await replicaMode(session, false);
  return 1;
}

/** Runs until the connection ends. @param alreadySent the user's own SYNC is on its way */
export async function replicaMode(session: Session, alreadySent: boolean): Promise<void> {
  const client = session.client!;
  const { host } = session;
  let discarded = 0;
  let framed = false;
  const first = await receiveDump(
    session,
    client,
    {
      begin: (length) => {
        framed = length === undefined;
        const what = framed ? 'bytes of bulk transfer until EOF marker' : `${length} bytes of bulk transfer`;
        host.writeError(`SYNC with master, discarding ${what}...\n`);
      },
      data: (chunk) => {
        discarded += chunk.length;
      },
    },
    alreadySent,
  );
  host.writeError(`SYNC done${framed ? ` after ${discarded} bytes` : ''}. Logging commands from master.\n`);
  // After a diskless dump the server sends commands once it has heard this, and a first one may come before it
  // listens. It is not answered; offset 0 claims nothing.
  const heartbeat = setInterval(() => client.send('REPLCONF', 'ACK', 0), ACKNOWLEDGE_EVERY_MS);
  client.send('REPLCONF', 'ACK', 0);
  const parser = new ReplyParser();
  const print = (chunk: Buffer) => {
    parser.feed(chunk);
    for (let command = parser.next(); command !== undefined; command = parser.next()) {
      host.write(formatReply(command, { mode: 'csv', bulkDelimiter: '\n', replyDelimiter: '\n' }));
    }
  };
  client.takeRaw(print);
  print(first);
  client.resume();
  const reason = await client.ended();
  clearInterval(heartbeat);
  session.fail(reason);
}
