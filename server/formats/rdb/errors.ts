// What a reader throws when bytes are no RDB: one type with everything a checker prints or a server logs.

/** What the reader was about to do, in redis-check-rdb's words. */
export type RdbActivity =
  | 'start'
  | 'read-type'
  | 'read-expire'
  | 'read-key'
  | 'read-object-value'
  | 'check-sum'
  | 'read-len'
  | 'read-aux'
  | 'read-module-aux'
  | 'read-functions';

/**
 * `truncated`: the bytes end too early. `header`: no RDB, or a version this reader doesn't know. `type`: unknown type or
 * opcode. `integrity`: a value contradicts itself. `checksum`: the CRC64 differs. `limit`: a string is longer than allowed.
 * `unsupported`: a healthy value of a kind this reader can't read.
 */
export type RdbErrorCode = 'truncated' | 'header' | 'type' | 'integrity' | 'checksum' | 'limit' | 'unsupported';

export class RdbError extends Error {
  readonly code: RdbErrorCode;
  /** Bytes from the start of the RDB that had been read. */
  readonly offset: number;
  readonly activity: RdbActivity;
  /** A copy of the key whose value was being read. */
  readonly key: Uint8Array | null;
  /** The number of the value's type, or -1 outside of a key. */
  readonly type: number;

  constructor(
    code: RdbErrorCode,
    message: string,
    where: { offset: number; activity: RdbActivity; key: Uint8Array | null; type: number },
  ) {
    super(message);
    this.name = 'RdbError';
    this.code = code;
    this.offset = where.offset;
    this.activity = where.activity;
    this.key = where.key;
    this.type = where.type;
  }
}
