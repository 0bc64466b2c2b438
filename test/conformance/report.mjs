// What the conformance run knows without running anything: the recorded expectations, the table, the verdict.

const HEADER = 'unit\tmode\tpasses\tquick';

/** expected.tsv joined with what the real server passes: one object per file. */
export function parseExpected(expectedText, ceilingText) {
  const ceiling = new Map(lines(ceilingText).map((fields) => [fields[0], fields]));
  return lines(expectedText).map(([unit, mode, passes, quick]) => {
    const real = ceiling.get(unit);
    if (real === undefined) throw new Error(`expected.tsv names ${unit}, which ceiling-7.0.15.tsv does not have`);
    return {
      unit,
      mode,
      expected: Number(passes),
      quick: quick === 'quick',
      real: Number(real[mode === 'external' ? 5 : 1]),
    };
  });
}

/** expected.tsv's text after a run: numbers only ever rise. */
export function renderExpected(expected, rows) {
  const passed = new Map(rows.map((row) => [row.unit, row.passed]));
  const body = expected.map(({ unit, mode, expected: before, quick }) =>
    [unit, mode, Math.max(before, passed.get(unit) ?? 0), quick ? 'quick' : '-'].join('\t'),
  );
  return `${[HEADER, ...body].join('\n')}\n`;
}

/** The files that the options ask for. */
export function select(expected, { quick, only, mode }) {
  const names = only?.split(',');
  return expected.filter(
    (file) =>
      (names === undefined || names.includes(file.unit)) &&
      (mode === undefined || file.mode === mode) &&
      (!quick || file.quick),
  );
}

/** known-failures.md's list items, `- \`unit/name\`: test name`, as a set of "unit<TAB>test name". */
export function knownFailures(markdown) {
  const items = markdown.matchAll(/^- `([^`]+)`(?: \(not run\))?: (.+)$/gm);
  return new Set([...items].map(([, unit, name]) => `${unit}\t${name.trim()}`));
}

/** Names of the tests that are left out because the ones behind them would fail, too: `- \`unit/name\` (not run): name`. */
export function notRun(markdown) {
  return [...markdown.matchAll(/^- `[^`]+` \(not run\): (.+)$/gm)].map(([, name]) => name.trim());
}

/** The table of figures: ours, real, percent, with totals per mode. */
export function renderTable(rows) {
  const out = [row('file', 'mode', 'ours', 'real', '%', 'note')];
  for (const mode of new Set(rows.map((r) => r.mode))) {
    const part = rows.filter((r) => r.mode === mode);
    for (const r of part) {
      const note = [r.passed < r.expected ? `expected ${r.expected}` : '', r.aborted ? 'aborted' : '', r.note];
      out.push(row(r.unit, mode, r.passed, r.real, percent(r.passed, r.real), note.filter(Boolean).join(', ')));
    }
    const ours = sum(part.map((r) => Math.min(r.passed, r.real)));
    const real = sum(part.map((r) => r.real));
    out.push(row(`all of ${mode}`, '', ours, real, percent(ours, real), ''));
  }
  return out.join('\n');
}

/** How many files fall short, and what to tell about it. */
export function verdicts(rows, known, skipped) {
  const out = [];
  for (const r of rows) {
    const fresh = r.failed.filter((name) => !known.has(`${r.unit}\t${name}`));
    for (const name of fresh) out.push(`failed, not in known-failures.md: ${r.unit}: ${name}`);
    const stale = [...known].filter((item) => item.startsWith(`${r.unit}\t`) && !skipped.includes(item.split('\t')[1]));
    for (const item of stale) {
      const name = item.split('\t')[1];
      if (!r.failed.includes(name)) out.push(`listed in known-failures.md, but does not fail: ${r.unit}: ${name}`);
    }
    if (r.passed > r.expected) out.push(`${r.unit} passes ${r.passed}, recorded ${r.expected}: run with --update`);
  }
  const short = rows.filter((r) => r.passed < r.expected);
  for (const r of short) out.push(`FAILED: ${r.unit} passes ${r.passed}, expected ${r.expected}`);
  return { short: short.length, text: out.join('\n') };
}

function lines(text) {
  const [, ...body] = text.split('\n').filter((line) => line !== '');
  return body.map((line) => line.split('\t'));
}

function row(unit, mode, ours, real, share, note) {
  return `${unit.padEnd(42)}${mode.padEnd(10)}${String(ours).padStart(5)}${String(real).padStart(6)}${share.padStart(7)}  ${note}`.trimEnd();
}

function percent(part, whole) {
  return whole === 0 ? '-' : ((100 * part) / whole).toFixed(1);
}

function sum(numbers) {
  return numbers.reduce((total, n) => total + n, 0);
}
