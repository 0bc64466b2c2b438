// Unified diffs of small texts (RFC-less, as diff -u prints them), for showing a plan.

/** Beyond this many lines on a side, a file is shown as replaced as a whole: the table below grows with the product. */
const LINES_MAX = 3000;
const CONTEXT = 3;

interface Edit {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

/** The difference from `before` (undefined: no file) to `after`; '' when there is none. */
export function unifiedDiff(path: string, before: string | undefined, after: string): string {
  if (before === after) return '';
  const edits = compare(split(before ?? ''), split(after));
  const head = [`--- ${before === undefined ? '/dev/null' : path}`, `+++ ${path}`];
  return `${[...head, ...hunks(edits)].join('\n')}\n`;
}

const split = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** The shortest edit script, by the table of longest common subsequences between the common head and tail. */
function compare(left: readonly string[], right: readonly string[]): Edit[] {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (
    end < left.length - start &&
    end < right.length - start &&
    left[left.length - 1 - end] === right[right.length - 1 - end]
  ) {
    end++;
  }
  const same = (line: string): Edit => ({ sign: ' ', line });
  return [
    ...left.slice(0, start).map(same),
    ...compareMiddle(left.slice(start, left.length - end), right.slice(start, right.length - end)),
    ...left.slice(left.length - end).map(same),
  ];
}

function compareMiddle(left: readonly string[], right: readonly string[]): Edit[] {
  const removed = (line: string): Edit => ({ sign: '-', line });
  const added = (line: string): Edit => ({ sign: '+', line });
  if (left.length > LINES_MAX || right.length > LINES_MAX || left.length === 0 || right.length === 0) {
    return [...left.map(removed), ...right.map(added)];
  }
  const width = right.length + 1;
  const longest = new Uint16Array((left.length + 1) * width);
  const at = (row: number, column: number) => longest[row * width + column] ?? 0;
  for (let row = left.length - 1; row >= 0; row--) {
    for (let column = right.length - 1; column >= 0; column--) {
      longest[row * width + column] =
        left[row] === right[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const edits: Edit[] = [];
  let row = 0;
  let column = 0;
  while (row < left.length || column < right.length) {
    const [oldLine, newLine] = [left[row], right[column]];
    if (oldLine !== undefined && oldLine === newLine) {
      edits.push({ sign: ' ', line: oldLine });
      row++;
      column++;
    } else if (oldLine !== undefined && (newLine === undefined || at(row + 1, column) >= at(row, column + 1))) {
      edits.push(removed(oldLine));
      row++;
    } else {
      edits.push(added(newLine as string));
      column++;
    }
  }
  return edits;
}

/** Groups edits with their context. */
function hunks(edits: readonly Edit[]): string[] {
  const lines: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  let at = 0;
  while (at < edits.length) {
    const change = edits.findIndex((edit, index) => index >= at && edit.sign !== ' ');
    if (change < 0) break;
    const from = Math.max(at, change - CONTEXT);
    let to = change;
    for (let next = change; next < edits.length && next - to <= 2 * CONTEXT; next++) {
      if (edits[next]?.sign !== ' ') to = next;
    }
    const end = Math.min(edits.length, to + 1 + CONTEXT);
    oldLine += from - at;
    newLine += from - at;
    const hunk = edits.slice(from, end);
    const oldCount = hunk.filter((edit) => edit.sign !== '+').length;
    const newCount = hunk.filter((edit) => edit.sign !== '-').length;
    const oldStart = oldCount === 0 ? oldLine - 1 : oldLine;
    const newStart = newCount === 0 ? newLine - 1 : newLine;
    lines.push(`@@ -${oldStart},${oldCount} +${newStart},${newCount} @@`, ...hunk.map(({ sign, line }) => sign + line));
    oldLine += oldCount;
    newLine += newCount;
    at = end;
  }
  return lines;
}
