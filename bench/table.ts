// Tables of the report.

/** Columns padded to their widest cell, numbers to the right. A row of two cells is a name and a remark. */
export function table(rows: readonly string[][]): string[] {
  const full = rows.filter((row) => row.length > 2);
  const widths = rows[0]!.map((_, column) => Math.max(...full.map((row) => row[column]!.length)));
  const firstWidth = Math.max(...rows.map((row) => row[0]!.length));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(firstWidth) : cell.padStart(row.length > 2 ? widths[i]! : 0)))
      .join('  '),
  );
}
