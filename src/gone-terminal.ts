import {closeSync, openSync} from 'node:fs';
import {isatty} from 'node:tty';

const STREAMS = [0, 1, 2];

/**
 * At our end, puts /dev/null in the place of a terminal that has gone. As its last act Node 20 sets the modes of the
 * terminals that it was started on, and dies of an assertion where that fails; what is another file by then it leaves alone
 * (ResetStdio in https://github.com/nodejs/node/blob/v20.x/src/node.cc).
 */
export const outliveTerminal = (): void => {
  const terminals = STREAMS.filter((descriptor) => isatty(descriptor));
  process.once('exit', () => {
    for (const descriptor of terminals) {
      if (isatty(descriptor)) continue;
      closeSync(descriptor);
      openSync('/dev/null', 'r+'); // gets the lowest number that is free
    }
  });
};
