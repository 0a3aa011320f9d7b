import type {WindowSize} from '../model/terminal.js';

/** A stream of ours that may be the terminal: Node keeps the size of those that are. */
export interface SizedStream {
  readonly isTTY?: boolean;
  readonly rows?: number;
  readonly columns?: number;
}

/** What a terminal has that does not know its size, as on a serial line. */
const USUAL: WindowSize = {rows: 24, columns: 80};
const MOST = 65_535;

/** From a stream that is the terminal, else from `stty size`: output may go elsewhere, as into `| tee log`. */
export const measure = (streams: readonly SizedStream[], sttySize: () => string): WindowSize => {
  const terminal = streams.find(({isTTY}) => isTTY === true);
  if (terminal) return windowSize(terminal.rows, terminal.columns);
  const [rows, columns] = sttySize().split(' ').map(Number);
  return windowSize(rows, columns);
};

const windowSize = (rows: number | undefined, columns: number | undefined): WindowSize => ({
  rows: inRange(rows) ?? USUAL.rows,
  columns: inRange(columns) ?? USUAL.columns,
});

const inRange = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isInteger(value) && value >= 1 && value <= MOST ? value : undefined;

export const isSameSize = (one: WindowSize, other: WindowSize): boolean =>
  one.rows === other.rows && one.columns === other.columns;
