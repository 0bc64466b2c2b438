// maxmemory-clients: who is disconnected, and when.

import { describe, expect, it } from 'vitest';
import type { Session } from '../../../server/commands/session.ts';
import { ClientEviction, clientBytes } from '../../../server/runtime/client-eviction.ts';

function client(heldBytes: number, noEvict = false): Session {
  const transport = { heldBytes };
  const lists = { watched: [], subscriptions: 0, listBytes: 0, queuedBytes: 0 };
  return {
    transport,
    ...lists,
    input: null,
    tracking: null,
    closing: false,
    link: null,
    noEvict,
  } as unknown as Session;
}

function evictionOf(sessions: Session[]) {
  const dropped: Session[] = [];
  const log: string[] = [];
  const eviction = new ClientEviction({
    log: (_, message) => log.push(message),
    sessions: () => sessions.filter((session) => !dropped.includes(session)),
    describe: (session) => `held=${session.transport.heldBytes}`,
    drop: (session) => dropped.push(session),
  });
  return { eviction, dropped, log };
}

const MB = 1024 * 1024;

describe('client eviction', () => {
  it('takes the largest clients until the limit is kept', () => {
    const [small, large, larger] = [client(MB), client(2 * MB), client(3 * MB)];
    const { eviction, dropped, log } = evictionOf([small, large, larger]);
    eviction.configure(2 * MB, 0);
    eviction.enforce();
    expect(dropped).toEqual([larger, large]);
    expect(eviction.evicted).toBe(2);
    expect(eviction.totalBytes).toBe(clientBytes(small));
    expect(log).toEqual([`Evicting client: held=${3 * MB}`, `Evicting client: held=${2 * MB}`]);
  });

  it('spares clients that asked for it', () => {
    const { eviction, dropped } = evictionOf([client(5 * MB, true), client(MB)]);
    eviction.configure(2 * MB, 0);
    eviction.enforce();
    expect(dropped).toHaveLength(1);
    expect(dropped[0]?.noEvict).toBe(false);
  });

  it('leaves idle clients alone when those that are spared are over the limit by themselves', () => {
    const [idle, busy] = [client(0), client(1)];
    const { eviction, dropped } = evictionOf([idle, client(3 * MB, true), busy]);
    eviction.configure(2 * MB, 0);
    eviction.enforce();
    expect(dropped).toEqual([busy]);
    const many = Array.from({ length: 10 }, () => client(0));
    const crowd = evictionOf(many);
    crowd.eviction.configure(5 * clientBytes(many[0]), 0);
    crowd.eviction.enforce();
    expect(crowd.dropped).toHaveLength(6);
  });

  it('takes a share of maxmemory', () => {
    const { eviction, dropped } = evictionOf([client(MB), client(MB)]);
    eviction.configure(-50, 10 * MB);
    eviction.enforce();
    expect(dropped).toHaveLength(0);
    eviction.configure(-15, 10 * MB);
    eviction.enforce();
    expect(dropped).toHaveLength(1);
  });

  it('counts without a limit of its own while memory as a whole is limited', () => {
    const one = client(MB);
    const { eviction, dropped } = evictionOf([one]);
    expect(eviction.active).toBe(false);
    eviction.configure(0, MB);
    expect(eviction.active).toBe(true);
    eviction.enforce();
    expect(dropped).toHaveLength(0);
    eviction.forget(one);
    expect(eviction.totalBytes).toBe(0);
  });
});
