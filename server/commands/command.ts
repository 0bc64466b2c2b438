// What a family of commands is made of: a handler per command.

import type { Context } from './context.ts';

/** Runs one request. See context.ts for the four beats: look up, change, note, reply. */
export type Handler = (c: Context) => void;

/**
 * The handlers of a family, keyed like its specs: a plain command has a handler, a container has the handlers of its
 * subcommands. A spec without a handler is not served.
 */
export type Handlers<Specs> = { readonly [Name in keyof Specs]?: Handler | Readonly<Record<string, Handler>> };
