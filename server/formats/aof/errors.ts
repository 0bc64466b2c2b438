// What is thrown when bytes are no AOF.

/**
 * `format`: the bytes can't be part of an AOF. `truncated`: they end in the middle of a command or annotation.
 * `transaction`: MULTI inside MULTI, EXEC without MULTI, or an end between the two.
 */
export type AofErrorCode = 'format' | 'truncated' | 'transaction';

export class AofError extends Error {
  readonly code: AofErrorCode;
  /** Where in the file the part that is wrong begins. */
  readonly offset: number;

  /** The message is redis-check-aof's; empty where that says nothing: the file just ends. */
  constructor(code: AofErrorCode, message: string, offset: number) {
    super(message);
    this.name = 'AofError';
    this.code = code;
    this.offset = offset;
  }
}
