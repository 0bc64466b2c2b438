// Error replies. The texts are protocol: clients and tests match them, so they stand here once.

/**
 * Thrown by handlers and argument helpers; the dispatcher drops what was written of the reply and answers with the
 * text. Not an Error on purpose: no stack is captured, because a wrong request must not cost more than a right one.
 */
export class CommandError {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Stops a handler whose reply has become larger than the client may have queued; the client is closed. */
export class ReplyLimitError {}

export const ERRORS = {
  wrongType: 'WRONGTYPE Operation against a key holding the wrong kind of value',
  syntax: 'ERR syntax error',
  notAnInteger: 'ERR value is not an integer or out of range',
  notAFloat: 'ERR value is not a valid float',
  noSuchKey: 'ERR no such key',
  indexOutOfRange: 'ERR index out of range',
  sameObject: 'ERR source and destination objects are the same',
  outOfMemory: "OOM command not allowed when used memory > 'maxmemory'.",
  busyKey: 'BUSYKEY Target key name already exists.',
  stringTooLong: 'ERR string exceeds maximum allowed size (proto-max-bulk-len)',
  nanOrInfinity: 'ERR increment would produce NaN or Infinity',
  incrementOverflow: 'ERR increment or decrement would overflow',
  valueNotInteger: 'ERR hash value is not an integer',
  dbIndex: 'ERR DB index is out of range',
  noAuth: 'NOAUTH Authentication required.',
  loading: 'LOADING Redis is loading the dataset in memory',
  timeoutNotFloat: 'ERR timeout is not a float or out of range',
  timeoutNegative: 'ERR timeout is negative',
  waitaofWithoutLog: 'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.',
} as const;

export function wrongArity(fullName: string): string {
  return `ERR wrong number of arguments for '${fullName}' command`;
}

/** A client's text at the end of an error: Redis trims line breaks there, elsewhere they become blanks. */
export function lastWord(text: string): string {
  return text.replace(/[\r\n]+$/, '');
}

export function invalidExpire(commandName: string): string {
  return `ERR invalid expire time in '${commandName}' command`;
}
