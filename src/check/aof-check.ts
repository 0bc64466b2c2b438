// Checks one file of commands: an old single AOF, or the base or an increment of a multi-part one. Prints what
// redis-check-aof prints, line for line.

import { AofError } from '../../server/formats/aof/errors.ts';
import { AofReader, hasRdbPreamble } from '../../server/formats/aof/reader.ts';
import { Findings } from './findings.ts';
import type { Input } from './input.ts';
import type { CheckIo } from './io.ts';
import { printable } from './printable.ts';
import { Progress } from './progress.ts';
import { checkRdb } from './rdb-check.ts';

/** Arguments longer than this are passed over in pieces. */
const HELD_BYTES_MAX = 1 << 20;

export type AofVerdict = {
  /** `cut`: the file is sound up to a timestamp, where `okUpTo` is. */
  state: 'sound' | 'empty' | 'damaged' | 'cut' | 'preamble-damaged' | 'aborted';
  size: number;
  /** Everything before is complete. */
  okUpTo: number;
  line: number;
  commands: number;
  transactions: number;
  /** Bytes of the RDB at the beginning; 0: there is none. */
  preambleBytes: number;
  findings: Findings;
};

export type AofCheckOptions = {
  /** Look for more than framing. */
  thorough: boolean;
  /** Gets the lines of redis-check-aof's output (byte text). */
  say: (line: string) => void;
  /** The name in the output. */
  name: string;
  /** Seconds since 1970 up to which commands are wanted; 0: all. */
  untilTimestamp: number;
  /** Number of the first line: redis-check-aof counts on from file to file. */
  line: number;
};

/** Reads `input` to its end, or to the first damage. Throws only what reading the input throws. */
export async function checkAof(input: Input, io: CheckIo, options: AofCheckOptions): Promise<AofVerdict> {
  const verdict: AofVerdict = {
    state: 'sound',
    size: 0,
    okUpTo: 0,
    line: options.line,
    commands: 0,
    transactions: 0,
    preambleBytes: 0,
    findings: new Findings(),
  };
  const head = input.peek(8);
  if (head.length === 0) return { ...verdict, state: 'empty' };
  let rest: Uint8Array = new Uint8Array(0);
  if (head.length === 8 && hasRdbPreamble(head)) {
    const { thorough, say, name } = options;
    const rdb = await checkRdb(input, io, { thorough, say, name });
    verdict.preambleBytes = rdb.bytes;
    for (const finding of rdb.findings.list) verdict.findings.add(finding);
    const damaged = rdb.complete === false;
    say(
      damaged ? 'RDB preamble of AOF file is not sane, aborting.' : 'RDB preamble is OK, proceeding with AOF tail...',
    );
    if (damaged) return { ...verdict, state: 'preamble-damaged', size: input.size ?? input.position };
    rest = rdb.rest;
  }
  const reader = new AofReader({ offset: verdict.preambleBytes, skipArgumentsOver: HELD_BYTES_MAX });
  reader.line = options.line;
  reader.feed(rest);
  const message = await readCommands(reader, input, new Progress(io, options.name, input.size), verdict, options);
  verdict.okUpTo = reader.okUpTo;
  verdict.line = reader.line;
  if (verdict.state === 'damaged' && message !== '') options.say(message);
  verdict.size = input.size ?? drain(input);
  return verdict;
}

/** The line that explains damage, empty when there is none to print. Sets the verdict's state. */
async function readCommands(
  reader: AofReader,
  input: Input,
  progress: Progress,
  verdict: AofVerdict,
  options: AofCheckOptions,
): Promise<string> {
  const inspect = options.thorough ? (await import('./aof-commands.ts')).inspectCommand : undefined;
  try {
    for (;;) {
      const item = reader.next();
      if (item === 'end') return '';
      if (item === 'more') {
        const count = input.read(reader.room());
        if (count === 0) reader.finish();
        reader.filled(count);
        await progress.at(input.position);
      } else if (item === 'annotation') {
        if (isBeyond(reader, verdict, options)) return '';
      } else {
        verdict.commands++;
        if (inspect?.(reader, verdict.findings) === 'exec') verdict.transactions++;
      }
    }
  } catch (error) {
    if (!(error instanceof AofError)) throw error;
    verdict.state = 'damaged';
    const message = describe(error, reader, options.name);
    verdict.findings.add({
      severity: 'error',
      code: error.code,
      message: message === '' ? 'the file ends inside a command' : message.replace(/^0x +[0-9a-f]+: /, ''),
      offset: error.offset,
    });
    return message;
  } finally {
    progress.stop();
  }
}

function describe(error: AofError, reader: AofReader, name: string): string {
  const byteName = Buffer.from(name, 'utf8').toString('latin1');
  const at = `0x${error.offset.toString(16).padStart(16, ' ')}: `;
  if (error.message.startsWith('Unexpected ')) return `${at}${error.message} ${byteName}`;
  if (error.message !== '') return at + printable(Buffer.from(error.message, 'latin1'));
  if (error.code === 'format') return `AOF ${byteName} format error`;
  return reader.inTransaction ? `${at}Reached EOF before reading EXEC for MULTI` : '';
}

/** Whether the annotation just read is later than wanted: then everything before it is what is wanted. */
function isBeyond(reader: AofReader, verdict: AofVerdict, options: AofCheckOptions): boolean {
  if (options.untilTimestamp === 0) return false;
  const seconds = reader.timestamp();
  if (seconds === null || seconds <= options.untilTimestamp) return false;
  if (Number.isNaN(seconds)) {
    options.say('Invalid timestamp annotation');
    verdict.state = 'aborted';
    return true;
  }
  if (reader.itemOffset === 0) {
    options.say(`AOF ${options.name} has nothing before timestamp ${options.untilTimestamp}, aborting...`);
    verdict.state = 'aborted';
    return true;
  }
  verdict.state = 'cut';
  return true;
}

/** Reads what is left of something that is no plain file; returns the number of bytes it had. */
function drain(input: Input): number {
  const sink = new Uint8Array(65536);
  while (input.read(sink) > 0);
  return input.position;
}
