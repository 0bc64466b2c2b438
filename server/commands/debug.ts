// DEBUG: what tests of servers use to look inside. Enabled by enable-debug-command.

import { parseMemoryText } from '../config/values.ts';
import { ENCODING_NAMES } from '../keyspace/layout.ts';
import { setPlainThreshold } from '../values/quicklist-limits.ts';
import type { Handler } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { tableOf, tableStats } from './table-stats.ts';

const NO_SUCH_KEY = 'ERR no such key';

/** Subcommands by name; DEBUG is one command with a word after it, as in Redis. */
const subcommands: Readonly<Record<string, Handler>> = {
  sleep: (c) => {
    c.server.debug.sleep(c.double(2));
    c.reply.ok();
  },
  segfault: (c) => c.server.debug.crash('signal'),
  panic: (c) => c.server.debug.crash('panic'),
  assert: (c) => c.server.debug.crash('assertion'),
  'set-active-expire': (c) => {
    c.server.debug.setActiveExpire(c.integer(2) !== 0);
    c.reply.ok();
  },
  digest: (c) => c.reply.simple(c.server.debug.digest()),
  'digest-value': (c) => {
    c.reply.array(c.argc - 2);
    for (let i = 2; i < c.argc; i++) {
      const entry = c.peek(i);
      c.reply.simple(entry === 0 ? '0'.repeat(40) : c.server.debug.digestValue(c.db, entry));
    }
  },
  object,
  sdslen: (c) => {
    const entry = c.peek(2);
    if (entry === 0) throw new CommandError(NO_SUCH_KEY);
    c.db.open(entry);
    const key = c.db.keyLength(entry);
    c.reply.simple(
      `key_sds_len:${key}, key_sds_avail:0, key_zmalloc: ${key}, val_sds_len:${c.db.vlen}, val_sds_avail:0, val_zmalloc: ${c.db.vlen}`,
    );
  },
  populate,
  replicate: (c) => {
    if (c.argc < 3) throw new CommandError(ERRORS.syntax);
    c.server.debug.replicate(c.storedRequest().args.slice(2));
    c.reply.ok();
  },
  reload: (c) => {
    const options = { save: true, flush: true };
    for (let i = 2; i < c.argc; i++) {
      if (c.is(i, 'nosave')) options.save = false;
      else if (c.is(i, 'noflush')) options.flush = false;
      else if (!c.is(i, 'merge'))
        throw new CommandError('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.');
    }
    answer(c, c.server.persistence.reload(options));
  },
  loadaof: (c) => answer(c, c.server.persistence.loadAppendOnly()),
  // What killing the child process does to Redis.
  'fail-job': (c) => {
    c.server.persistence.failJob();
    c.reply.ok();
  },
  'change-repl-id': (c) => c.reply.ok(),
  error: (c) => c.reply.error(c.text(2)),
  log: (c) => {
    c.server.log('warning', `DEBUG LOG: ${c.text(2)}`);
    c.reply.ok();
  },
  protocol,
  htstats: (c) => {
    const db = c.keyspace.databases[c.integer(2)];
    if (db === undefined) throw new CommandError('ERR Out of range database');
    c.reply.verbatim('txt', Buffer.from(`[Dictionary HT]\n${tableStats(db.table)}`));
  },
  'htstats-key': (c) => {
    const entry = c.peek(2);
    if (entry === 0) throw new CommandError(NO_SUCH_KEY);
    const table = tableOf(c.db, entry);
    if (table === null) {
      throw new CommandError('ERR The value stored at the specified key is not represented using an hash table');
    }
    c.reply.verbatim('txt', Buffer.from(tableStats(table)));
  },
  jmap: (c) => c.reply.ok(),
  'config-rewrite-force-all': (c) => answer(c, c.server.configuration.rewrite(true)),
  // Reply buffers are not kept per client: there is nothing to resize.
  replybuffer: (c) => c.reply.ok(),
  'quicklist-packed-threshold': (c) => {
    const bytes = Number(parseMemoryText(c.text(2)) ?? Number.NaN);
    if (!setPlainThreshold(bytes)) {
      throw new CommandError('ERR argument must be a memory value bigger than 1 and smaller than 4gb');
    }
    c.reply.ok();
  },
  'stringmatch-len': (c) => c.reply.ok(),
};

export function debug(c: Context): void {
  const word = c.text(1).toLowerCase();
  const handler = subcommands[word];
  if (handler !== undefined) handler(c);
  else if (word === 'help') help(c);
  else if (c.argc === 3 && c.server.debug.setOption(word, c.text(2))) c.reply.ok();
  else
    throw new CommandError(`ERR unknown subcommand or wrong number of arguments for '${c.shown(1)}'. Try DEBUG HELP.`);
}

function help(c: Context): void {
  const words = Object.keys(subcommands).sort();
  c.reply.array(words.length + 1);
  c.reply.simple('DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
  for (const word of words) c.reply.simple(word.toUpperCase());
}

function answer(c: Context, error: string | null): void {
  if (error !== null) throw new CommandError(error);
  c.reply.ok();
}

/** DEBUG OBJECT key */
function object(c: Context): void {
  const { db } = c;
  // What is there, also when its time is over.
  const entry = db.find(c.buf, c.pos[2], c.len[2]);
  if (entry === 0) throw new CommandError(NO_SUCH_KEY);
  const encoding = ENCODING_NAMES[db.encoding(entry)];
  const name = db.type(entry) === 1 ? 'quicklist' : encoding;
  const serialized = c.server.values.serialize(db, entry).length - 10;
  c.reply.simple(
    `Value at:0x${entry.toString(16)} refcount:1 encoding:${name} serializedlength:${serialized} lru:${db.clock(entry)} lru_seconds_idle:0${c.server.debug.describe(db, entry)}`,
  );
}

/** DEBUG POPULATE count [prefix] [size] */
function populate(c: Context): void {
  const count = c.integer(2);
  const prefix = c.argc > 3 ? c.text(3) : 'key';
  const size = c.argc > 4 ? c.integer(4) : -1;
  for (let n = 0; n < count; n++) {
    const key = Buffer.from(`${prefix}:${n}`, 'latin1');
    if (c.db.findForWrite(key, 0, key.length) !== 0) continue;
    const value = Buffer.from(`value:${n}`, 'latin1');
    const bytes = size < 0 ? value.length : size;
    const entry = c.db.create(key, 0, key.length, 0, bytes <= 44 ? 2 : 0, bytes);
    c.db.open(entry);
    c.db.vbuf.fill(0, c.db.vpos, c.db.vpos + bytes);
    value.copy(c.db.vbuf, c.db.vpos, 0, Math.min(bytes, value.length));
    c.keyspace.dirty++;
  }
  c.rewrite();
  c.reply.ok();
}

/** DEBUG PROTOCOL type: one sample of each reply type, for tests of client libraries. */
function protocol(c: Context): void {
  const { reply } = c;
  const samples: Readonly<Record<string, () => void>> = {
    string: () => reply.text('Hello World'),
    integer: () => reply.int(12345),
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: the sample that tests of clients expect
    double: () => reply.double(3.141),
    null: () => reply.nil(),
    array: () => {
      reply.array(3);
      for (let i = 0; i < 3; i++) reply.int(i);
    },
    set: () => {
      reply.set(3);
      for (let i = 0; i < 3; i++) reply.int(i);
    },
    map: () => {
      reply.map(3);
      for (let i = 0; i < 3; i++) {
        reply.int(i);
        reply.bool(i === 1);
      }
    },
    attrib: () => {
      if (reply.resp3) {
        reply.attribute(1);
        reply.text('key-popularity');
        reply.array(2);
        reply.text('key:123');
        reply.int(90);
      }
      reply.text('Some real reply following the attribute');
    },
    push: () => {
      if (!reply.resp3) throw new CommandError('ERR RESP2 is not supported by this command');
      // A push is no reply: the number below is the command's.
      reply.push(2);
      reply.text('server-cpu-usage');
      reply.int(42);
    },
    verbatim: () => reply.verbatim('txt', Buffer.from('This is a verbatim\nstring')),
    true: () => reply.bool(true),
    false: () => reply.bool(false),
    bignum: () => reply.bigNumber('1234567999999999999999999999999999999'),
  };
  const sample = samples[c.text(2).toLowerCase()];
  if (sample === undefined) {
    throw new CommandError(
      'ERR Wrong protocol type name. Please use one of the following: string|integer|double|null|array|set|map|attrib|push|verbatim|true|false',
    );
  }
  sample();
}
