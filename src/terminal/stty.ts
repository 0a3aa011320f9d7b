/** The modes of the terminal behind our standard input. Node's own raw mode would still turn each LF into CR LF. */
import {runOnTerminal} from '../process/on-terminal.js';

export interface Modes {
  /** What `restore` takes. */
  readonly save: () => string;
  readonly restore: (saved: string) => void;
  readonly setRaw: () => void;
  /** `ROWS COLUMNS`. */
  readonly size: () => string;
}

export const stty: Modes = {
  save: () => runOnTerminal('stty', ['-g']).trim(),
  restore: (saved) => {
    runOnTerminal('stty', [saved]);
  },
  setRaw: () => {
    runOnTerminal('stty', ['raw', '-echo', '-iexten']);
  },
  size: () => runOnTerminal('stty', ['size']).trim(),
};
