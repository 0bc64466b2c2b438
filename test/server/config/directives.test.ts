import { describe, expect, it } from 'vitest';
import type { Directive } from '../../../server/config/directive.ts';
import { directives, groupTitles } from '../../../server/config/directives.ts';
import { rewriteConfig } from '../../../server/config/rewrite.ts';
import { loaded, testSettings } from './support.ts';

const table = directives as readonly Directive[];

/** A value other than the default for a directive, as CONFIG SET takes it. */
function otherText(directive: Directive): string {
  const { kind, initial, name } = directive;
  const now = kind.format(initial);
  if (name === 'cluster-enabled') return 'no';
  if (name === 'activedefrag') return 'no';
  switch (kind.type) {
    case 'bool':
      return now === 'yes' ? 'no' : 'yes';
    case 'integer':
      return String(Number(now) === Number(kind.hint.split(' ')[0]) ? Number(now) + 1 : Number(now) - 1);
    case 'memory':
      return String(Number(now) + 1024);
    case 'octal':
      return '700';
    case 'enum':
      return kind.hint.split(', ').find((word) => word !== now) as string;
    case 'flags':
      return 'nosave now';
    case 'save':
      return '900 1 60 100';
    case 'output-buffer-limits':
      return 'normal 1024 512 3 slave 1 2 3 pubsub 5 6 7';
    case 'events':
      return 'AKE';
    case 'replicaof':
      return '127.0.0.1 6380';
    case 'words':
      return name === 'bind' ? '127.0.0.1 -::1' : '1 2 3';
    default:
      return name === 'dir' ? '/some where' : name === 'proc-title-template' ? '{title} {port}' : 'other-1.x';
  }
}

describe('the directive table', () => {
  it('names each directive once, explains it and puts it in a group', () => {
    const names = table.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]));
    expect(new Set(names).size).toBe(names.length);
    for (const { name, about, group } of table) {
      expect(about, name).toMatch(/^[A-Z].*[.]$/);
      expect(groupTitles[group], name).toBeDefined();
    }
  });

  it.each(table.map((directive) => [directive.name, directive] as const))(
    '%s survives GET, SET and REWRITE',
    (name, directive) => {
      const text = otherText(directive);
      // From a file, as it would be typed.
      const typed = directive.kind.multi ? text : JSON.stringify(text);
      const fromFile = loaded(['c'], { c: `${name} ${typed}` });
      expect(fromFile.text(name)).toBe(text);
      // Through CONFIG SET, unless only a file may set it.
      const settings = testSettings();
      loaded([]);
      const answer = settings.set([[name, text]], {});
      if (directive.immutable) expect(answer).toContain("can't set immutable config");
      else if (directive.protected) expect(answer).toContain("can't set protected config");
      else expect(settings.text(name)).toBe(text);
      // What REWRITE writes loads to the same.
      const file = rewriteConfig('', fromFile, { all: true });
      const again = loaded(['c'], { c: file });
      expect(again.list(['*'])).toEqual(fromFile.list(['*']));
      // The default, set again, changes nothing.
      expect(testSettings().set([[name, directive.kind.format(directive.initial)]]) ?? '').not.toMatch(
        /must be|Invalid/,
      );
    },
  );
});
