import {displayWidth} from './display-width.js';
import {chalkFor, type OutputStream} from './logger.js';
import {printable} from './printable.js';

const BETWEEN = '  ';

interface Cell {
  readonly text: string;
  readonly width: number;
}

/** Columns without lines, as `docker ps` shows them. */
export const renderTable = (
  stream: OutputStream,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string => {
  const chalk = chalkFor(stream);
  const cells = rows.map((row) => row.map((text) => toCell(printable(text))));
  const widths = head.map(displayWidth);
  for (const row of cells)
    for (const [column, {width}] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width);
  const titles = head.map((title): Cell => ({text: chalk.bold(title), width: displayWidth(title)}));
  return [titles, ...cells].map((row) => `${drawRow(row, widths)}\n`).join('');
};

const toCell = (text: string): Cell => ({text, width: displayWidth(text)});

const drawRow = (row: readonly Cell[], widths: readonly number[]): string =>
  row
    .map(({text, width}, column) => text + ' '.repeat((widths[column] ?? width) - width))
    .join(BETWEEN)
    .trimEnd();
