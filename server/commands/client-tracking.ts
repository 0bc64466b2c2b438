// CLIENT TRACKING and its relatives: which clients cache what on their side.

import type { Handler } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import type { Session, TrackingState } from './session.ts';

export const trackingHandlers: Readonly<Record<string, Handler>> = {
  tracking,
  caching,
  getredir: (c) => c.reply.int(c.session.tracking === null ? -1 : c.session.tracking.redirect),
  trackinginfo: info,
};

/** CLIENT TRACKING ON | OFF [REDIRECT id] [PREFIX p ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP] */
function tracking(c: Context): void {
  const wanted = parseOptions(c);
  if (c.is(2, 'off')) {
    c.server.tracking.disable(c.session);
    c.reply.ok();
    return;
  }
  if (!c.is(2, 'on')) throw new CommandError(ERRORS.syntax);
  const before = c.session.tracking;
  if (!wanted.broadcast && wanted.prefixes.length > 0) {
    throw new CommandError('ERR PREFIX option requires BCAST mode to be enabled');
  }
  if (before !== null && before.broadcast !== wanted.broadcast) {
    throw new CommandError(
      "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
    );
  }
  if (wanted.broadcast && (wanted.optIn || wanted.optOut)) {
    throw new CommandError('ERR OPTIN and OPTOUT are not compatible with BCAST');
  }
  if (wanted.optIn && wanted.optOut) {
    throw new CommandError("ERR You can't specify both OPTIN mode and OPTOUT mode");
  }
  if ((wanted.optIn && before?.optOut) || (wanted.optOut && before?.optIn)) {
    throw new CommandError(
      "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
    );
  }
  if (wanted.broadcast) refuseOverlap(wanted.prefixes, before?.prefixes ?? []);
  c.server.tracking.enable(c.session, wanted);
  c.reply.ok();
}

function parseOptions(c: Context): TrackingState {
  const state: TrackingState = {
    broadcast: false,
    optIn: false,
    optOut: false,
    noLoop: false,
    prefixes: [],
    redirect: 0,
    redirectBroken: false,
    caching: null,
  };
  for (let i = 3; i < c.argc; i++) {
    const more = i + 1 < c.argc;
    if (c.is(i, 'redirect') && more) {
      if (state.redirect !== 0) throw new CommandError('ERR A client can only redirect to a single other client');
      const id = c.integer(++i);
      if (c.server.clients.byId(id) === undefined) {
        throw new CommandError('ERR The client ID you want redirect to does not exist');
      }
      state.redirect = id;
    } else if (c.is(i, 'bcast')) state.broadcast = true;
    else if (c.is(i, 'optin')) state.optIn = true;
    else if (c.is(i, 'optout')) state.optOut = true;
    else if (c.is(i, 'noloop')) state.noLoop = true;
    else if (c.is(i, 'prefix') && more) state.prefixes.push(c.copy(++i));
    else throw new CommandError(ERRORS.syntax);
  }
  return state;
}

/** Overlapping prefixes would send an invalidation twice. */
function refuseOverlap(added: readonly Buffer[], existing: readonly Buffer[]): void {
  const overlap = (a: Buffer, b: Buffer): boolean => {
    const length = Math.min(a.length, b.length);
    return a.subarray(0, length).equals(b.subarray(0, length));
  };
  added.forEach((prefix, i) => {
    const clash = existing.find((other) => !other.equals(prefix) && overlap(prefix, other));
    if (clash !== undefined) {
      throw new CommandError(
        `ERR Prefix '${prefix.toString('latin1')}' overlaps with an existing prefix '${clash.toString('latin1')}'. Prefixes for a single client must not overlap.`,
      );
    }
    const twin = added.slice(i + 1).find((other) => overlap(prefix, other));
    if (twin !== undefined) {
      throw new CommandError(
        `ERR Prefix '${prefix.toString('latin1')}' overlaps with another provided prefix '${twin.toString('latin1')}'. Prefixes for a single client must not overlap.`,
      );
    }
  });
}

/** CLIENT CACHING YES | NO */
function caching(c: Context): void {
  const state = c.session.tracking;
  if (state === null) {
    throw new CommandError(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
    );
  }
  if (c.is(2, 'yes')) {
    if (!state.optIn)
      throw new CommandError('ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.');
    state.caching = 'yes';
  } else if (c.is(2, 'no')) {
    if (!state.optOut)
      throw new CommandError('ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.');
    state.caching = 'no';
  } else throw new CommandError(ERRORS.syntax);
  c.server.tracking.cachingSet(c.session);
  c.reply.ok();
}

/** CLIENT TRACKINGINFO */
function info(c: Context): void {
  const state = c.session.tracking;
  const flags = flagsOf(c.session);
  c.reply.map(3);
  c.reply.text('flags');
  c.reply.set(flags.length);
  for (const flag of flags) c.reply.text(flag);
  c.reply.text('redirect');
  c.reply.int(state === null ? -1 : state.redirect);
  c.reply.text('prefixes');
  c.reply.array(state?.prefixes.length ?? 0);
  for (const prefix of state?.prefixes ?? []) c.reply.bulk(prefix);
}

function flagsOf(session: Session): string[] {
  const state = session.tracking;
  if (state === null) return ['off'];
  const flags = ['on'];
  if (state.broadcast) flags.push('bcast');
  if (state.optIn) flags.push('optin', ...(state.caching === 'yes' ? ['caching-yes'] : []));
  if (state.optOut) flags.push('optout', ...(state.caching === 'no' ? ['caching-no'] : []));
  if (state.noLoop) flags.push('noloop');
  if (state.redirectBroken) flags.push('broken_redirect');
  return flags;
}
