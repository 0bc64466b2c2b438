// A plan as text for people: every file with mode, owner and difference, every command.
import type { Command } from '../host/users.ts';
import type { Item } from './items.ts';
import type { Change } from './plan.ts';
import { isChange } from './plan.ts';

export interface ShownPlan {
  readonly service: string;
  readonly changes: readonly Change[];
  /** Commands that run before the files are written (the user), after (enabling), and to start it. */
  readonly commands: readonly Command[];
  readonly warnings: readonly string[];
  readonly serviceUser: string | undefined;
}

/** New files up to this many lines are shown whole. */
const WHOLE_LINES_MAX = 20;

/** The lines to print. Program files are summed up, and of long new files, unless `whole`, only what is in force is shown. */
export function planLines(plan: ShownPlan, whole: boolean): string[] {
  const lines = plan.warnings.map((warning) => `! ${warning}`);
  const programs = plan.changes.filter((change) => change.item.kind === 'file' && change.item.isProgram);
  for (const change of plan.changes) {
    if (change.item.kind === 'file' && change.item.isProgram) continue;
    if (change.action === 'same') continue;
    lines.push(changeLine(change, plan.serviceUser));
    for (const line of diffLines(change, whole)) lines.push(`    ${line}`);
  }
  lines.push(...programLines(programs));
  for (const command of plan.commands) lines.push(`run      ${commandText(command)}`);
  return lines;
}

/** The same for --json. */
export function planDocument(plan: ShownPlan): object {
  return {
    service: plan.service,
    warnings: plan.warnings,
    changes: plan.changes.filter((change) => change.action !== 'same').map((change) => documentOf(change, plan)),
    commands: plan.commands.map(({ file, args }) => [file, ...args]),
  };
}

const commandText = ({ file, args }: Command): string =>
  [file, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');

function documentOf({ item, action, diff, note }: Change, plan: ShownPlan): object {
  return {
    action,
    kind: item.kind,
    path: item.path,
    ...(item.kind === 'link'
      ? { target: item.target }
      : { mode: item.mode.toString(8).padStart(4, '0'), owner: ownerText(item, plan.serviceUser) }),
    ...(diff === '' ? {} : { diff }),
    ...(note === undefined ? {} : { note }),
  };
}

function diffLines({ action, diff, item }: Change, whole: boolean): string[] {
  const lines = diff.split('\n').filter((line) => line !== '');
  if (whole || action !== 'create' || lines.length <= WHOLE_LINES_MAX) return lines;
  const isConf = item.kind === 'file' && item.foreign === 'keep';
  const inForce = isConf ? lines.filter((line) => /^\+[^#\s]/.test(line) && !line.startsWith('+++')) : [];
  const what = isConf ? 'lines of comments' : 'lines';
  return [...inForce, `(${isConf ? 'and ' : ''}${lines.length - 3 - inForce.length} ${what}, which --dry-run shows)`];
}

function changeLine({ item, action, note }: Change, serviceUser: string | undefined): string {
  const tail = note === undefined ? '' : ` (${note})`;
  if (item.kind === 'link') return `${action.padEnd(8)} ${item.path} -> ${item.target}${tail}`;
  const mode = item.mode.toString(8).padStart(4, '0');
  const slash = item.kind === 'directory' ? '/' : '';
  return `${action.padEnd(8)} ${item.path}${slash}  ${mode} ${ownerText(item, serviceUser)}${tail}`;
}

function ownerText(item: Item, serviceUser: string | undefined): string {
  if (item.kind === 'link') return '';
  if (item.owner === undefined) return 'you';
  return item.owner === 'root' ? 'root' : (serviceUser ?? 'root');
}

function programLines(programs: readonly Change[]): string[] {
  const changed = programs.filter(isChange);
  const first = changed[0]?.item;
  if (first === undefined) return [];
  const bytes = changed.reduce((sum, { item }) => sum + (item.kind === 'file' ? item.content.length : 0), 0);
  const list = changed.map(({ item, action }) => `    ${action} ${item.path}`);
  return [`program  ${changed.length} files, ${(bytes / 1e6).toFixed(1)} MB`, ...list];
}
