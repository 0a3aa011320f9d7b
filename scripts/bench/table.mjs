// @ts-check
import {cpus, loadavg, release, totalmem, type} from 'node:os';

const COLUMNS = /** @type {const} */ (['min', 'median', 'p95', 'max']);

/**
 * A Markdown table: one row for each measure, in milliseconds.
 * @param {Readonly<Record<string, import('./statistics.mjs').Spread>>} rows
 */
export const spreadTable = (rows) => {
  const cells = Object.entries(rows).map(([name, row]) => [
    name,
    String(row.runs),
    ...COLUMNS.map((column) => milliseconds(row[column])),
  ]);
  return markdown([['measure', 'runs', ...COLUMNS.map((column) => `${column} (ms)`)], ...cells]);
};

/** @param {Readonly<Record<string, import('./statistics.mjs').Spread>>} phases */
export const phaseTable = (phases) =>
  markdown([
    ['phase', 'median (ms)'],
    ...Object.entries(phases).map(([name, {median}]) => [name, milliseconds(median)]),
  ]);

/** @param {Readonly<Record<string, Readonly<Record<string, number>> | undefined>>} moments */
export const memoryTable = (moments) =>
  markdown([
    ['memory of a monitor', 'RSS (MiB)', 'PSS (MiB)', 'private dirty (MiB)'],
    ...Object.entries(moments).map(([name, memory = {}]) => [
      name,
      ...['rss', 'pss', 'privateDirty'].map((field) => memory[field]?.toFixed(1) ?? '-'),
    ]),
  ]);

export const describeMachine = () => {
  const [first] = cpus();
  const memoryGib = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${memoryGib} GiB, ${type()} ${release()}, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}`;
};

/** @param {number} value */
const milliseconds = (value) => value.toFixed(value < 10 ? 1 : 0);

/** @param {readonly (readonly string[])[]} rows the first is the head */
const markdown = (rows) => {
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
