/** The modes of the terminal behind our standard input. Node's own raw mode would still turn each LF into CR LF. */
import {runOnTerminal} from '../process/on-terminal.js';

/** In the form that `setModes` takes. */
export const readModes = (): string => runOnTerminal('stty', ['-g']).trim();

export const setModes = (saved: string): void => {
  runOnTerminal('stty', [saved]);
};

export const setRaw = (): void => {
  runOnTerminal('stty', ['raw', '-echo', '-iexten']);
};

/** `ROWS COLUMNS`. */
export const readSize = (): string => runOnTerminal('stty', ['size']).trim();
