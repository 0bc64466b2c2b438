// The version of Redis that all programs say they are.

/** The Redis version whose commands, replies and output the programs have. */
export const REDIS_VERSION = '7.2.4';
