// Ours and a real redis-server as primary and replica of each other: data of all types arrives, links that break go on
// from where they were, roles change.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drive } from './support/drive.ts';
import { Generator } from './support/generate.ts';
import type { RawConnection } from './support/raw-connection.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();
const COMMANDS = Number(process.env['TSREDIS_DIFFERENTIAL_COMMANDS'] ?? 4000);

/** The two ends of a link, and how the dump travels. */
const LINKS = [
  { primary: 'ours', disk: 'yes', load: 'disabled' },
  { primary: 'ours', disk: 'no', load: 'disabled' },
  { primary: 'ours', disk: 'no', load: 'swapdb' },
  { primary: 'real', disk: 'yes', load: 'disabled' },
  { primary: 'real', disk: 'no', load: 'disabled' },
  { primary: 'real', disk: 'no', load: 'swapdb' },
  { primary: 'real', disk: 'no', load: 'on-empty-db' },
] as const;

describe.skipIf(missing !== null).each(LINKS)(
  missing ?? 'replication, primary $primary, dump by way of a file: $disk, load: $load',
  ({ primary: which, disk, load }) => {
    let pair: Pair;
    let primary: RawConnection;
    let replica: RawConnection;
    let port: number;

    beforeAll(async () => {
      pair = await startPair([
        ['repl-diskless-sync', disk === 'yes' ? 'no' : 'yes'],
        ['repl-diskless-sync-delay', '0'],
        ['repl-diskless-load', load],
        ['dbfilename', `${which}.rdb`],
        // What encodings 7.2 and 7.0 choose may differ where a value is built anew.
        ['set-max-intset-entries', '12'],
      ]);
      primary = which === 'ours' ? pair.ours : pair.real;
      replica = which === 'ours' ? pair.real : pair.ours;
      port = which === 'ours' ? pair.ourPort : pair.realPort;
    });
    afterAll(async () => {
      await pair.stop();
    });

    const digest = async (server: RawConnection) => (await server.call(['debug', 'digest'])).toString();
    const field = async (server: RawConnection, name: string) => {
      const text = (await server.call(['info'])).toString('latin1');
      return new RegExp(`^${name}:(.*)\r$`, 'm').exec(text)?.[1];
    };
    const until = async (
      server: RawConnection,
      name: string,
      value: string | ((text: string | undefined) => boolean),
    ) => {
      for (;;) {
        const text = await field(server, name);
        if (typeof value === 'string' ? text === value : value(text)) return;
      }
    };
    /** Waits until the replica has everything, by the only thing that tells for sure. */
    const caughtUp = async () => {
      await until(replica, 'master_link_status', 'up');
      await until(replica, 'slave_repl_offset', String(await field(primary, 'master_repl_offset')));
    };

    it('brings over what is there', { timeout: 60_000 + COMMANDS * 2 }, async () => {
      // The same commands on both, so that the generator sees the same replies; then the replica's data gives way.
      await drive(pair, new Generator(3), COMMANDS);
      await primary.callAll(Array.from({ length: 300 }, (_, i) => ['rpush', 'large', 'x'.repeat(i * 30)]));
      await replica.call(['select', '3']);
      await replica.call(['set', 'old', 'data']);
      expect((await replica.call(['replicaof', '127.0.0.1', String(port)])).toString()).toBe('+OK\r\n');
      await caughtUp();
      expect(await digest(replica)).toBe(await digest(primary));
    });

    it('brings over what is written', async () => {
      await primary.callAll([
        ['select', '2'],
        ['set', 'a', '1', 'ex', '1000'],
        ['multi'],
        ['incr', 'a'],
        ['rpush', 'l', 'x', 'y'],
        ['exec'],
        ['spop', 's2', '2'],
        ['xadd', 'new', '*', 'f', 'v'],
        ['select', '0'],
        ['incrbyfloat', 'float', '1.5'],
        ['geoadd', 'places', '1', '1', 'here'],
      ]);
      await caughtUp();
      expect(await digest(replica)).toBe(await digest(primary));
      expect((await replica.call(['set', 'a', 'b'])).toString()).toMatch(/^-READONLY/);
    });

    it('goes on after the link broke', async () => {
      const full = await field(primary, 'sync_full');
      await replica.call(['client', 'kill', 'type', 'master']);
      await primary.callAll(Array.from({ length: 100 }, (_, i) => ['set', `k${i}`, 'v'.repeat(i)]));
      await until(primary, 'sync_partial_ok', '1');
      await caughtUp();
      expect(await field(primary, 'sync_full')).toBe(full);
      expect(await digest(replica)).toBe(await digest(primary));
    });

    it('answers WAIT and ROLE', async () => {
      await primary.call(['set', 'waited', 'for']);
      expect((await primary.call(['wait', '1', '10000'])).toString()).toBe(':1\r\n');
      // A replica with a log of its own tells more (FACK), which a 7.0 does not know.
      await replica.call(['config', 'set', 'appendonly', 'yes']);
      await until(replica, 'aof_rewrite_in_progress', '0');
      await primary.call(['set', 'waited', 'for again']);
      expect((await primary.call(['wait', '1', '10000'])).toString()).toBe(':1\r\n');
      await replica.call(['config', 'set', 'appendonly', 'no']);
      expect((await primary.call(['wait', '2', '10'])).toString()).toBe(':1\r\n');
      expect((await primary.call(['role'])).toString()).toMatch(
        /^\*3\r\n\$6\r\nmaster\r\n:\d+\r\n\*1\r\n\*3\r\n\$9\r\n127\.0\.0\.1/,
      );
      expect((await replica.call(['role'])).toString()).toMatch(
        /^\*5\r\n\$5\r\nslave\r\n\$9\r\n127\.0\.0\.1\r\n:\d+\r\n\$9\r\nconnected/,
      );
    });

    it('leaves expiry to the primary', async () => {
      await primary.callAll([
        ['select', '7'],
        ['debug', 'set-active-expire', '0'],
        ['set', 'soon', 'gone', 'px', '1'],
        ['debug', 'sleep', '0.01'],
      ]);
      await caughtUp();
      await replica.call(['select', '7']);
      expect((await replica.call(['exists', 'soon'])).toString()).toBe(':0\r\n');
      expect((await replica.call(['dbsize'])).toString()).toBe(':1\r\n');
      expect((await primary.call(['exists', 'soon'])).toString()).toBe(':0\r\n');
      await caughtUp();
      expect((await replica.call(['dbsize'])).toString()).toBe(':0\r\n');
    });

    it('changes roles without another dump', async () => {
      const replicaPort = which === 'ours' ? pair.realPort : pair.ourPort;
      await replica.call(['replicaof', 'no', 'one']);
      await replica.call(['set', 'written', 'by the new primary']);
      await primary.call(['replicaof', '127.0.0.1', String(replicaPort)]);
      await until(primary, 'master_link_status', 'up');
      await until(primary, 'slave_repl_offset', String(await field(replica, 'master_repl_offset')));
      expect(await field(replica, 'sync_full')).toBe('0');
      expect(await field(replica, 'sync_partial_ok')).toBe('1');
      expect(await digest(replica)).toBe(await digest(primary));
    });
  },
);
