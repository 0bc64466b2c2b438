// The primary with replicas whose sockets are slow.

import { describe, expect, it } from 'vitest';
import type { Session } from '../../../server/commands/session.ts';
import { createSettings } from '../../../server/config/settings.ts';
import type { DumpSink } from '../../../server/formats/rdb/sink.ts';
import { History } from '../../../server/replication/history.ts';
import { Primary } from '../../../server/replication/primary.ts';
import { ReplicationStream } from '../../../server/replication/stream.ts';

const MUCH = 5 * 1024 * 1024;

/** A replica: its session, and the bytes that its socket has not taken. */
class Replica {
  queuedBytes = 0;
  readonly session: Session;

  constructor(port: number) {
    const transport = {
      peerAddress: `127.0.0.1:${port}`,
      send: () => undefined,
      get queuedBytes() {
        return replica.queuedBytes;
      },
    };
    const replica = this;
    this.session = { transport, link: null, closing: false } as unknown as Session;
  }
}

/** A primary that sends a dump to two replicas, straight from the snapshot. */
function streaming() {
  const world = { nowMs: 1_700_000_000_000, dropped: [] as Session[], goesOn: 0 };
  const settings = createSettings({ currentDirectory: () => '/', changeDirectory: () => undefined });
  settings.put('repl-diskless-sync-max-replicas', 2);
  let sink: DumpSink | null = null;
  const stream = new ReplicationStream(
    () => primary.neededFrom(),
    () => undefined,
  );
  const primary: Primary = new Primary(
    {
      settings,
      log: () => undefined,
      now: () => world.nowMs,
      randomBytes: (bytes) => Buffer.alloc(bytes, 1),
      dumps: {
        get running() {
          return sink === null ? null : 'stream';
        },
        saveToFile: () => false,
        stream: (into) => {
          sink = into;
          sink.onDrain = () => world.goesOn++;
          return true;
        },
        stopStream: () => undefined,
        stopFile: () => undefined,
        fileServed: () => undefined,
        path: '',
      },
      drop: (session) => {
        world.dropped.push(session);
        primary.gone(session);
      },
      flush: () => undefined,
      acknowledged: () => undefined,
      describe: () => '',
    },
    stream,
    new History(() => '1'.repeat(40)),
  );
  const replicas = [new Replica(1), new Replica(2)];
  for (const { session } of replicas) {
    primary.linkOf(session).understandsEof = true;
    primary.sync(session, '?', -1);
  }
  primary.cron(world.nowMs, true);
  expect(sink).not.toBeNull();
  return { world, primary, replicas };
}

describe('a dump straight to two replicas', () => {
  it('goes on when the slower one has room, not when the faster one has', () => {
    const { world, primary, replicas } = streaming();
    const [slow, fast] = replicas;
    slow.queuedBytes = MUCH;
    primary.queued(fast.session);
    primary.queued(slow.session);
    expect(world.goesOn).toBe(0);
    slow.queuedBytes = 0;
    primary.queued(slow.session);
    expect(world.goesOn).toBe(1);
  });

  it('is ended by silence only for the one that does not take it', () => {
    const { world, primary, replicas } = streaming();
    const [slow, fast] = replicas;
    slow.queuedBytes = MUCH;
    for (let second = 0; second <= 61; second++) {
      world.nowMs += 1000;
      primary.cron(world.nowMs, true);
    }
    expect(world.dropped).toEqual([slow.session]);
    expect(primary.isReplica(fast.session)).toBe(true);
    // What was held up by it goes on.
    expect(world.goesOn).toBe(1);
  });
});
