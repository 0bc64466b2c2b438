// Finds the keys of a request: by the command's key specs, or by a function of its own where specs cannot express it.
// COMMAND GETKEYS, ACL key checks and client tracking share it, so nothing is allocated per request.
import { parseInteger } from '../base/numbers.ts';
import { equalsFolded } from './registry.ts';
import { type CommandSpec, type KeyFlag, type KeyRule, type KeySpec, keyFlags, oneKey } from './spec.ts';

/** A request as offsets: argument i is `len[i]` bytes of `buf` at `pos[i]`. Context is one. */
export interface RequestView {
  readonly argc: number;
  readonly buf: Uint8Array;
  readonly pos: ArrayLike<number>;
  readonly len: ArrayLike<number>;
}

/** Bits of the key flags: bit i is `keyFlags[i]`. */
export const KeyFlagBit = Object.fromEntries(keyFlags.map((flag, i) => [flag, 1 << i])) as Readonly<
  Record<KeyFlag, number>
>;

/** Result of findKeys, made once and reused: `count` argument indexes with the flag bits of each. */
export class KeyPositions {
  count = 0;
  /** Indexes count from the request's name, which is 0. Grows to the number of arguments of the largest request. */
  indexes = new Int32Array(16);
  flags = new Int32Array(16);

  add(index: number, flagBits: number): void {
    if (this.count === this.indexes.length) {
      this.indexes = grown(this.indexes);
      this.flags = grown(this.flags);
    }
    this.indexes[this.count] = index;
    this.flags[this.count] = flagBits;
    this.count++;
  }
}

type Step = {
  readonly flagBits: number;
  readonly incomplete: boolean;
  /** Index of the begin, or -1 for a keyword or an unknown one. */
  readonly index: number;
  readonly keyword: Uint8Array | null;
  readonly startFrom: number;
  readonly kind: 'range' | 'count' | 'unknown';
  /** `lastKey` of a range, index of the count otherwise. */
  readonly lastOrCount: number;
  readonly firstKey: number;
  readonly step: number;
  readonly limit: number;
};

/** Key specs in a form that is quick to walk. Null: the command has no keys. */
export type KeyPlan = {
  readonly steps: readonly Step[];
  readonly rule: ((request: RequestView, base: number, argc: number, out: KeyPositions) => boolean) | null;
  /** The specs say less than the rule: flags vary with the options, or keys would be missed. */
  readonly ruleFirst: boolean;
  /** A request without keys is complete, too. */
  readonly keysOptional: boolean;
};

/** Prepares a command's key specs, once per command. Specs of what only looks like a key (shard channels) are left out. */
export function compileKeys(spec: CommandSpec): KeyPlan | null {
  const keySpecs = (spec.keySpecs ?? []).filter((keySpec) => !keySpec.flags.includes('not_key'));
  if (keySpecs.length === 0) return null;
  return {
    steps: keySpecs.map(compileStep),
    rule: spec.keyRule === undefined ? null : rules[spec.keyRule],
    ruleFirst: keySpecs.some((keySpec) => keySpec.flags.includes('variable_flags')),
    keysOptional: spec.flags?.includes('no_mandatory_keys') === true,
  };
}

const plans = new WeakMap<CommandSpec, { readonly plan: KeyPlan | null }>();

/** compileKeys, remembered per spec. */
export function keyPlanOf(spec: CommandSpec): KeyPlan | null {
  let known = plans.get(spec);
  if (known === undefined) {
    known = { plan: compileKeys(spec) };
    plans.set(spec, known);
  }
  return known.plan;
}

/**
 * Finds the keys of the request whose name is argument `base` (0, unless it stands inside another as in COMMAND
 * GETKEYS). False when the arguments make no sense to some key spec; `out` then holds the keys that are certain, which
 * COMMAND GETKEYS refuses and permission checks still want.
 */
export function findKeys(plan: KeyPlan, request: RequestView, out: KeyPositions, base = 0): boolean {
  const argc = request.argc - base;
  out.count = 0;
  if (!plan.ruleFirst && walkSteps(plan, request, base, argc, out)) return true;
  if (plan.rule === null) return false;
  out.count = 0;
  return plan.rule(request, base, argc, out);
}

function walkSteps(plan: KeyPlan, request: RequestView, base: number, argc: number, out: KeyPositions): boolean {
  let complete = true;
  for (let i = 0; i < plan.steps.length; i++) {
    const step = plan.steps[i]!;
    const begin = step.keyword === null ? step.index : afterKeyword(step, request, base, argc);
    // A keyword that is not there: an option left out.
    if (begin === 0) continue;
    if (step.kind === 'unknown' || begin < 0 || !addKeys(step, begin, plan.keysOptional, request, base, argc, out)) {
      complete = false;
    } else if (step.incomplete) complete = false;
  }
  return complete;
}

function addKeys(
  step: Step,
  begin: number,
  optional: boolean,
  request: RequestView,
  base: number,
  argc: number,
  out: KeyPositions,
): boolean {
  let first = begin;
  let last: number;
  if (step.kind === 'count') {
    const at = begin + step.lastOrCount;
    if (at >= argc) return false;
    const count = integerAt(request, base + at);
    // Without keys a call is complete only where they are optional (EVAL script 0).
    if (count === 0 && optional) return true;
    if (!(count > 0)) return false;
    first = begin + step.firstKey;
    last = first + (count - 1) * step.step;
    if (last >= argc) return false;
  } else if (step.lastOrCount >= 0) last = first + step.lastOrCount;
  else if (step.limit <= 1) last = argc + step.lastOrCount;
  else last = first + Math.trunc((argc - first) / step.limit) + step.lastOrCount;
  last = Math.min(last, argc - 1);
  if (last < first) return false;
  for (let index = first; index <= last; index += step.step) out.add(index, step.flagBits);
  return true;
}

/** The index after the step's keyword, 0 when the keyword is not there. */
function afterKeyword(step: Step, request: RequestView, base: number, argc: number): number {
  const forward = step.startFrom > 0;
  const end = forward ? argc - 1 : 1;
  let index = forward ? step.startFrom : argc + step.startFrom;
  for (; forward ? index < end : index > end; index += forward ? 1 : -1) {
    if (index >= argc || index < 1) break;
    if (isWord(request, base + index, step.keyword!)) return index + 1;
  }
  return 0;
}

function compileStep(keySpec: KeySpec): Step {
  const { begin, find = oneKey } = keySpec;
  const flagBits = keySpec.flags.reduce((bits, flag) => bits | KeyFlagBit[flag], 0);
  const keyword = begin !== 'unknown' && 'keyword' in begin ? begin : null;
  const where = {
    flagBits: flagBits & ~KeyFlagBit.incomplete,
    incomplete: keySpec.flags.includes('incomplete'),
    index: begin !== 'unknown' && 'index' in begin ? begin.index : -1,
    keyword: keyword && word(keyword.keyword),
    startFrom: keyword?.startFrom ?? 0,
  };
  if (find === 'unknown') return { ...where, kind: 'unknown', lastOrCount: 0, firstKey: 0, step: 1, limit: 0 };
  if ('lastKey' in find)
    return { ...where, kind: 'range', lastOrCount: find.lastKey, firstKey: 0, ...stepAndLimit(find) };
  return { ...where, kind: 'count', lastOrCount: find.countIndex, firstKey: find.firstKey, step: find.step, limit: 0 };
}

function stepAndLimit({ step, limit }: { step: number; limit: number }): { step: number; limit: number } {
  return { step, limit };
}

const readBits = KeyFlagBit.RO | KeyFlagBit.access;
const storeBits = KeyFlagBit.OW | KeyFlagBit.update;
const changeBits = KeyFlagBit.RW | KeyFlagBit.access | KeyFlagBit.update;

const words = {
  get: word('get'),
  set: word('set'),
  incrby: word('incrby'),
  overflow: word('overflow'),
  limit: word('limit'),
  by: word('by'),
  store: word('store'),
  keys: word('keys'),
  auth: word('auth'),
  auth2: word('auth2'),
};

const rules: Readonly<Record<KeyRule, NonNullable<KeyPlan['rule']>>> = {
  /** SET key value [GET] ...: reads only with GET. */
  set(request, base, argc, out) {
    let bits = storeBits;
    for (let i = 3; i < argc; i++) if (isWord(request, base + i, words.get)) bits = changeBits;
    out.add(1, bits);
    return true;
  },

  /** BITFIELD key ...: a lone row of GETs, complete ones, only reads. */
  bitfield(request, base, argc, out) {
    let bits = readBits;
    for (let i = 2; i < argc; i++) {
      const left = argc - i - 1;
      if (isWord(request, base + i, words.get) && left >= 2) i += 2;
      else if (isWord(request, base + i, words.overflow) && left >= 1) i += 1;
      else {
        bits = changeBits;
        break;
      }
    }
    out.add(1, bits);
    return true;
  },

  /** SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] ... [STORE destination]: the last STORE counts. */
  sort(request, base, argc, out) {
    out.add(1, readBits);
    let store = 0;
    for (let i = 2; i < argc; i++) {
      if (isWord(request, base + i, words.limit)) i += 2;
      else if (isWord(request, base + i, words.get) || isWord(request, base + i, words.by)) i += 1;
      else if (i + 1 < argc && isWord(request, base + i, words.store)) store = i + 1;
    }
    if (store !== 0) out.add(store, storeBits);
    return true;
  },

  sort_ro(_request, _base, _argc, out) {
    out.add(1, readBits);
    return true;
  },

  /** MIGRATE host port key|"" db timeout ... [AUTH password] [AUTH2 user password] [KEYS key ...]. */
  migrate(request, base, argc, out) {
    const bits = KeyFlagBit.RW | KeyFlagBit.access | KeyFlagBit.delete;
    for (let i = 6; i < argc; i++) {
      if (isWord(request, base + i, words.keys)) {
        // A key in its own place and KEYS exclude each other.
        if (request.len[base + 3] !== 0) return false;
        for (let key = i + 1; key < argc; key++) out.add(key, bits);
        return true;
      }
      if (isWord(request, base + i, words.auth)) i += 1;
      else if (isWord(request, base + i, words.auth2)) i += 2;
    }
    out.add(3, bits);
    return true;
  },
};

/** An integer argument, NaN for anything else. */
function integerAt(request: RequestView, i: number): number {
  return parseInteger(request.buf, request.pos[i]!, request.len[i]!);
}

/** Whether an argument is a word, in any case. */
function isWord(request: RequestView, i: number, lower: Uint8Array): boolean {
  return equalsFolded(request.buf, request.pos[i]!, request.len[i]!, lower);
}

function word(text: string): Uint8Array {
  return Buffer.from(text.toLowerCase(), 'latin1');
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
