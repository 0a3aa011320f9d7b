import Table from 'cli-table3';
import {chalkFor, type OutputStream} from './logger.js';
import {printable} from './printable.js';

const plain = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Columns without lines, as `docker ps` shows them. */
export const renderTable = (
  stream: OutputStream,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string => {
  const chalk = chalkFor(stream);
  const table = new Table({
    chars: plain,
    style: {head: [], border: [], 'padding-left': 0, 'padding-right': 0},
  });
  table.push(
    head.map((title) => chalk.bold(title)),
    ...rows.map((row) => row.map(printable)),
  );
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
};
