import type {OutputStream} from '../../src/render/logger.js';

/** A stream that keeps what is written to it. */
export const someStream = (isTTY = false): OutputStream & {readonly text: () => string} => {
  let text = '';
  return {
    isTTY,
    write: (chunk) => {
      text += chunk;
    },
    text: () => text,
  };
};
