import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runOurCli } from '../../support/cli-host.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server that answers each command (in inline form, for the test's sake by a table) and notes what it was sent. */
async function serve(answer: (command: string) => string | 'close'): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const request of chunk.toString().split(/(?=\*\d+\r\n)/)) {
        const command = request
          .split('\r\n')
          .filter((_, i) => i > 0 && i % 2 === 0)
          .join(' ');
        seen.push(command);
        const reply = answer(command);
        if (reply === 'close') socket.destroy();
        else socket.write(reply);
      }
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, seen };
}

describe('tsredis-cli', () => {
  it('connects again after the server hung up, and selects the database again', async () => {
    const { port, seen } = await serve((command) => (command === 'BYE' ? 'close' : '+OK\r\n'));
    const run = await runOurCli(['-p', String(port)], { stdin: 'SELECT 3\nBYE\nGET a\n', terminal: true });
    expect(run).toEqual({ status: 0, stdout: 'OK\nOK\n', stderr: 'Error: Server closed the connection\n' });
    expect(seen).toEqual(['SELECT 3', 'BYE', 'SELECT 3', 'GET a']);
  });

  it('ends with an error when the server hangs up on a one-shot command', async () => {
    const { port } = await serve(() => 'close');
    const run = await runOurCli(['-p', String(port), 'GET', 'a']);
    expect(run).toEqual({ status: 1, stdout: '', stderr: 'Error: Server closed the connection\n' });
  });

  it('takes a hang-up as success of SHUTDOWN', async () => {
    const { port } = await serve(() => 'close');
    expect(await runOurCli(['-p', String(port), 'shutdown'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('says what it got from a server that is none', async () => {
    const { port } = await serve(() => 'HTTP/1.1 400 Bad Request\r\n');
    const run = await runOurCli(['-p', String(port), 'ping']);
    expect(run).toMatchObject({ status: 1, stderr: 'Error: Protocol error, got "H" as reply type byte\n' });
  });

  it('follows cluster redirections with -c and shows them without', async () => {
    const target = await serve(() => '+done\r\n');
    const source = await serve(() => `-ASK 12182 127.0.0.1:${target.port}\r\n`);
    const followed = await runOurCli(['-p', String(source.port), '-c', 'SET', 'foo', 'bar']);
    expect(followed).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
    expect(target.seen).toEqual(['ASKING', 'SET foo bar']);
    const shown = await runOurCli(['-p', String(source.port), 'SET', 'foo', 'bar']);
    expect(shown.stdout).toBe(`ASK 12182 127.0.0.1:${target.port}\n\n`);
  });

  it('sends the password before anything else, and never prints it', async () => {
    const { port, seen } = await serve(() => '+OK\r\n');
    const run = await runOurCli(['-p', String(port), '-n', '2', '-3', 'ping'], { env: { REDISCLI_AUTH: 'secret' } });
    expect(seen).toEqual(['AUTH secret', 'SELECT 2', 'HELLO 3', 'ping']);
    expect(run.stdout + run.stderr).not.toContain('secret');
  });

  it('prints pushes between replies at a terminal and drops them in a pipe', async () => {
    const push = '>2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n';
    const { port } = await serve(() => `${push}+OK\r\n`);
    const terminal = await runOurCli(['-p', String(port), 'ping'], { terminal: true });
    expect(terminal.stdout).toBe("-> invalidate: 'a', 'b'\nOK\n");
    expect((await runOurCli(['-p', String(port), 'ping'])).stdout).toBe('OK\n');
  });

  it('prints big numbers and passes over attributes', async () => {
    const { port } = await serve(() => '|1\r\n+ttl\r\n:5\r\n*1\r\n(12345678901234567890\r\n');
    const run = await runOurCli(['-p', String(port), '--no-raw', 'ping']);
    expect(run.stdout).toBe('1) 12345678901234567890\n');
  });

  it('explains a command from the command table', async () => {
    const { port } = await serve(() => '+OK\r\n');
    const { stdout } = await runOurCli(['-p', String(port)], { stdin: 'help get\nhelp @hyperloglog\n' });
    expect(stdout).toContain('\x1b[1mGET\x1b[0m \x1b[90mkey\x1b[0m\r\n');
    expect(stdout).toContain('\x1b[33mgroup:\x1b[0m string\r\n');
    expect(stdout).toContain('\x1b[1mPFADD\x1b[0m');
  });
});
