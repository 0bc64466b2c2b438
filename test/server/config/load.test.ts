import { describe, expect, it } from 'vitest';
import { load, loaded } from './support.ts';

const report = (line: number, text: string, reason: string) =>
  `\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nReading the configuration file, at line ${line}\n>>> '${text}'\n${reason}\n`;

const NO_INTEGER = "argument couldn't be parsed into an integer";

describe('loading', () => {
  it('takes file, standard input and options in this order', () => {
    const files = { 'redis.conf': 'port 1\ntimeout 1\nhz 1\n' };
    const settings = loaded(['redis.conf', '--hz', '3', '-'], files, 'timeout 2\nhz 2\n');
    expect([settings.port, settings.timeout, settings.hz]).toEqual([1, 2, 3]);
  });

  it('needs nothing at all', () => {
    expect(loaded([]).port).toBe(6379);
  });

  it("takes the tutorial's file", () => {
    const text =
      'port              6379\ndaemonize         yes\nsave              60 1\nbind              127.0.0.1\n' +
      'tcp-keepalive     300\ndbfilename        dump.rdb\ndir               ./\nrdbcompression    yes\n';
    const settings = loaded(['c'], { c: text });
    expect(settings.daemonize).toBe(true);
    expect(settings.save).toEqual([{ seconds: 60, changes: 1 }]);
    expect(settings.bind).toEqual(['127.0.0.1']);
  });

  it('adds save lines of file and options up, the first replacing the built-in points', () => {
    const files = { c: 'save 900 1\n' };
    expect(loaded([]).text('save')).toBe('3600 1 300 100 60 10000');
    expect(loaded(['c'], files).text('save')).toBe('900 1');
    expect(loaded(['c', '--save', '100', '100'], files).text('save')).toBe('900 1 100 100');
    for (const options of [['--save'], ['--save', ''], ['--save', '--hz', '5'], ['--hz', '5', '--save']]) {
      expect(loaded(['c', ...options], files).text('save')).toBe('');
    }
  });

  it('reads included files, patterns too, and stops at a circle', () => {
    const files = {
      main: 'include /etc/extra\ninclude /d/*.conf\nport 7\n',
      '/etc/extra': 'hz 5',
      '/d/a.conf': 'timeout 9',
    };
    const settings = loaded(['main'], files);
    expect([settings.hz, settings.timeout, settings.port]).toEqual([5, 9, 7]);
    expect(load(['c'], { c: 'include c' })).toContain('does it include itself?');
  });

  it('collects users, renamed commands and modules', () => {
    const settings = loaded(['c'], { c: 'user bob on >x ~*\nrename-command FLUSHALL ""\nloadmodule /m.so a b\n' });
    expect(settings.users).toEqual([['bob', 'on', '>x', '~*']]);
    expect(settings.renames).toEqual([['FLUSHALL', '']]);
    expect(settings.modules).toEqual([['/m.so', 'a', 'b']]);
  });

  it('accepts and ignores directives that are gone', () => {
    expect(typeof load(['c'], { c: 'list-max-ziplist-entries 512\nlua-replicate-commands yes\n' })).toBe('object');
  });

  it.each([
    ['port 1\nport abc', 2, 'port abc', NO_INTEGER],
    ['# x\n\nnosuch 1', 3, 'nosuch 1', 'Bad directive or wrong number of arguments'],
    ['port', 1, 'port', 'wrong number of arguments'],
    ['port 1 2', 1, 'port 1 2', 'wrong number of arguments'],
    ['port 99999', 1, 'port 99999', 'argument must be between 0 and 65535 inclusive'],
    ['port "1', 1, 'port "1', 'Unbalanced quotes in configuration line'],
    ['save 1', 1, 'save 1', 'Invalid save parameters'],
    ['replicaof a b', 1, 'replicaof a b', 'Invalid master port'],
    ['dir /missing/x', 1, 'dir /missing/x', 'No such file or directory'],
    ['appendfilename a/b', 1, 'appendfilename a/b', "appendfilename can't be a path, just a filename"],
    ['unixsocketperm 1000', 1, 'unixsocketperm 1000', 'argument must be between 0 and 777 inclusive'],
    [
      'user a on\nuser a on',
      2,
      'user a on',
      "Error in user declaration 'a': Duplicate user found. A user can only be defined once in config files",
    ],
    ['sentinel monitor x', 1, 'sentinel monitor x', 'sentinel directive while not in sentinel mode'],
    [
      'loglevel foo',
      1,
      'loglevel foo',
      'argument(s) must be one of the following: debug, verbose, notice, warning, nothing',
    ],
  ])('reports %j as Redis does', (text, line, shown, reason) => {
    expect(load(['c'], { c: text })).toBe(report(line, shown, reason));
  });

  it('names a file that is not there, and what no line is to blame for', () => {
    expect(load(['nofile'])).toBe("Fatal error, can't open config file 'nofile': No such file or directory\n");
    expect(load(['c'], { c: 'cluster-enabled yes\nreplicaof a 1' })).toBe(
      '\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nreplicaof directive not allowed in cluster mode\n',
    );
  });
});

describe('the command line', () => {
  it.each([
    [['--port'], 'port', 'wrong number of arguments'],
    [['--port', '6380', '--loglevel'], 'loglevel', 'wrong number of arguments'],
    [['--port', '6379', '6380'], 'port "6379" "6380"', 'wrong number of arguments'],
    [['--port', '--loglevel', 'verbose'], 'port "--loglevel" "verbose"', 'wrong number of arguments'],
    [['--port', '--bla', '--loglevel', 'verbose'], 'port "--bla"', NO_INTEGER],
    [['--replicaof', '127.0.0.1', 'abc'], 'replicaof "127.0.0.1" "abc"', 'Invalid master port'],
    [['--replicaof', '--127.0.0.1', '--abc'], 'replicaof "--127.0.0.1"', 'wrong number of arguments'],
  ])('refuses %j', (argv, shown, reason) => {
    expect(load(argv)).toContain(`>>> '${shown}'\n${reason}\n`);
  });

  it.each([
    [['--maxmemory 700mb', '--maxmemory-policy volatile-lru'], 'maxmemory', '734003200'],
    [['c', 'loglevel', 'verbose', "--maxmemory '700mb'"], 'maxmemory', '734003200'],
    [['--proc-title-template', '--my--title', '--hz', '5'], 'proc-title-template', '--my--title'],
    [['--proc-title-template', '--save', '--save', '', '--hz', '5'], 'save', ''],
    [['--shutdown-on-sigint', 'nosave', 'force', 'now'], 'shutdown-on-sigint', 'nosave now force'],
    [['--shutdown-on-sigint', 'nosave force'], 'shutdown-on-sigint', 'nosave force'],
    [['--PORT', '7'], 'port', '7'],
  ])('understands %j', (argv, name, text) => {
    expect(loaded(argv, { c: '' }).text(name)).toBe(text);
  });
});
