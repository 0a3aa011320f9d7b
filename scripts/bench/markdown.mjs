// @ts-check

/**
 * A Markdown table that lines up: the first column to the left, the others to the right.
 * @param {readonly (readonly string[])[]} rows the first is the head
 */
export const markdownTable = (rows) => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  /** @param {readonly string[]} row */
  const line = (row) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].join('\n');
};

/** Milliseconds or MiB, as precisely as makes sense. @param {number} value */
export const short = (value) => value.toFixed(Math.abs(value) < 10 ? 1 : 0);
