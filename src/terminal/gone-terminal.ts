import {closeSync, openSync} from 'node:fs';
import {isatty} from 'node:tty';

/**
 * Puts /dev/null in the place of a terminal that has gone. As its last act Node 20 sets the modes of the terminals that it
 * was started on, and dies of an assertion where that fails; what is another file by then it leaves alone (ResetStdio in
 * https://github.com/nodejs/node/blob/v20.x/src/node.cc).
 */
export const replaceGoneTerminal = (): void => {
  const streams = [process.stdin, process.stdout, process.stderr];
  for (const [descriptor, {isTTY}] of streams.entries()) {
    if (!isTTY || isatty(descriptor)) continue;
    closeSync(descriptor);
    openSync('/dev/null', 'r+'); // gets the lowest number that is free
  }
};
