// A user: name, state, passwords and selectors. Texts are byte text (one character a byte), passwords SHA-256 digests.

import { splitArguments } from '../formats/conf/split.ts';
import type { AclCatalog, AclCommand } from './acl-catalog.ts';
import { AclProblem } from './acl-permissions.ts';
import { type AclReason, Selector } from './acl-selector.ts';
import { findKeys, KeyPositions, type RequestView } from './key-positions.ts';

/** How new users and selectors start. */
export interface AclDefaults {
  readonly catalog: AclCatalog;
  /** acl-pubsub-default is allchannels. */
  readonly allChannels: () => boolean;
}

/** Why a request is refused, and the argument to blame. */
export interface AclRefusal {
  readonly reason: AclReason;
  readonly at: number;
}

const HASH = /^[0-9a-f]{64}$/;
const RANK: Readonly<Record<AclReason, number>> = { command: 0, key: 1, channel: 2 };
const keys = new KeyPositions();

export class AclUser {
  readonly name: string;
  enabled = false;
  noPassword = false;
  /** Whether RESTORE checks this user's payloads; null: nobody has said. */
  sanitize: 'sanitize-payload' | 'skip-sanitize-payload' | null = null;
  /** Digests in hexadecimal. */
  passwords: string[] = [];
  /** The first holds the user's plain rules. */
  selectors: Selector[];
  private readonly defaults: AclDefaults;

  constructor(name: string, defaults: AclDefaults) {
    this.name = name;
    this.defaults = defaults;
    this.selectors = [this.newSelector()];
  }

  /** Whether this user may do everything. */
  get unrestricted(): boolean {
    return this.root.unrestricted;
  }

  get root(): Selector {
    return this.selectors[0] as Selector;
  }

  copyFrom(other: AclUser): void {
    this.enabled = other.enabled;
    this.noPassword = other.noPassword;
    this.sanitize = other.sanitize;
    this.passwords = [...other.passwords];
    this.selectors = other.selectors.map((selector) => selector.copy());
  }

  /** Applies rules in order; the first that is wrong ends it, and the user is to be thrown away then. */
  applyAll(rules: readonly string[]): { rule: string; problem: AclProblem } | null {
    for (const rule of rules) {
      const problem = this.apply(rule);
      if (problem !== null) return { rule, problem };
    }
    this.simplify();
    return null;
  }

  /** Shortens what the rules have become; to be called after the last of them. */
  simplify(): void {
    for (const selector of this.selectors) selector.commands.simplify();
  }

  apply(rule: string): AclProblem | null {
    if (rule === '') return null;
    const lower = rule.toLowerCase();
    switch (lower) {
      case 'on':
      case 'off':
        this.enabled = lower === 'on';
        return null;
      case 'nopass':
        this.noPassword = true;
        this.passwords = [];
        return null;
      case 'resetpass':
        this.noPassword = false;
        this.passwords = [];
        return null;
      case 'sanitize-payload':
      case 'skip-sanitize-payload':
        this.sanitize = lower;
        return null;
      case 'clearselectors':
        this.selectors = [this.root];
        return null;
      case 'reset':
        this.reset();
        return null;
    }
    if ('><#!'.includes(rule[0] as string)) return this.changePasswords(rule);
    if (rule[0] === '(' && rule.endsWith(')')) return this.addSelector(rule.slice(1, -1));
    return this.root.apply(rule);
  }

  /** Whether a password is right. Takes the same time for every wrong one. */
  accepts(password: Uint8Array): boolean {
    const { createHash, timingSafeEqual } = nodeCrypto();
    const digest = createHash('sha256').update(password).digest();
    if (!this.enabled) return false;
    if (this.noPassword) return true;
    let right = false;
    for (const known of this.passwords) if (timingSafeEqual(Buffer.from(known, 'hex'), digest)) right = true;
    return right;
  }

  /**
   * Why the request whose name is argument `base` is not allowed, or null. It must be allowed by one selector as a whole;
   * otherwise the one that came nearest tells the reason.
   */
  refusal(command: AclCommand, request: RequestView, base = 0): AclRefusal | null {
    keys.count = 0;
    // Keys that are certain are checked even when the request makes no sense as a whole.
    if (command.keys !== null) findKeys(command.keys, request, keys, base);
    let nearest: AclRefusal | null = null;
    for (const selector of this.selectors) {
      const refusal = selector.refusal(command, request, base, keys);
      if (refusal === null) return null;
      if (nearest === null || isNearer(refusal, nearest)) nearest = refusal;
    }
    return nearest;
  }

  /** Whether one selector allows the request and the reading of any key. */
  readsAllKeys(command: AclCommand, request: RequestView): boolean {
    keys.count = 0;
    if (command.keys !== null) findKeys(command.keys, request, keys);
    return this.selectors.some(
      (selector) => selector.readsAllKeys && selector.refusal(command, request, 0, keys) === null,
    );
  }

  flags(): string[] {
    return [
      this.enabled ? 'on' : 'off',
      ...(this.noPassword ? ['nopass'] : []),
      ...(this.sanitize === null ? [] : [this.sanitize]),
    ];
  }

  /** The rules that make this user, as ACL LIST, ACL SAVE and CONFIG REWRITE write them. */
  describe(): string {
    const extra = this.selectors.slice(1).map((selector) => `(${selector.describe()})`);
    const passwords = this.passwords.map((hash) => `#${hash}`);
    return [this.name, ...this.flags(), ...passwords, this.root.describe(), ...extra].join(' ');
  }

  private newSelector(): Selector {
    return new Selector(this.defaults.catalog, this.defaults.allChannels());
  }

  private reset(): void {
    this.enabled = false;
    this.noPassword = false;
    this.passwords = [];
    this.sanitize = 'sanitize-payload';
    this.selectors = [this.newSelector()];
  }

  /** >password and #hash add, <password and !hash remove. */
  private changePasswords(rule: string): AclProblem | null {
    const kind = rule[0] as string;
    let hash = rule.slice(1);
    if (kind === '#' || kind === '!') {
      if (!HASH.test(hash)) return AclProblem.badHash;
    } else hash = nodeCrypto().createHash('sha256').update(Buffer.from(hash, 'latin1')).digest('hex');
    const known = this.passwords.includes(hash);
    if (kind === '>' || kind === '#') {
      if (!known) this.passwords.push(hash);
      this.noPassword = false;
      return null;
    }
    if (!known) return AclProblem.noSuchPassword;
    this.passwords = this.passwords.filter((other) => other !== hash);
    return null;
  }

  private addSelector(text: string): AclProblem | null {
    const rules = splitArguments(text);
    if (rules === undefined) return AclProblem.syntax;
    const selector = this.newSelector();
    for (const rule of rules) {
      const problem = selector.apply(rule);
      if (problem !== null) return problem;
    }
    this.selectors.push(selector);
    return null;
  }
}

/** Puts a selector's rules that came as several arguments together again: `(+get`, `~x)`. Or names the open one. */
export function mergeSelectors(args: readonly string[]): { rules: string[] } | { unmatched: string } {
  const rules: string[] = [];
  let open: string | null = null;
  for (const arg of args) {
    if (open !== null) open += ` ${arg}`;
    else if (arg[0] === '(' && !arg.endsWith(')')) open = arg;
    else {
      rules.push(arg);
      continue;
    }
    if (!open.endsWith(')')) continue;
    rules.push(open);
    open = null;
  }
  return open === null ? { rules } : { unmatched: open };
}

function isNearer(a: AclRefusal, b: AclRefusal): boolean {
  return RANK[a.reason] > RANK[b.reason] || (a.reason === b.reason && a.at > b.at);
}

/** Loaded with the first password: a start without one does not wait for it. */
function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}
