import type {Sink} from '../model/sink.js';
import type {OutputStream} from './logger.js';

export interface LogStream {
  /** Standard error for log lines: each begins a line of its own, wherever the guest's output has stopped. */
  readonly log: OutputStream;
  /** A sink for output of the guest that shows where log lines do. */
  readonly watch: (sink: Sink) => Sink;
}

const NEWLINE = 0x0a;

export const createLogStream = (stderr: OutputStream): LogStream => {
  let isMidLine = false;
  return {
    log: {
      isTTY: stderr.isTTY === true,
      write: (text) => {
        const lead = isMidLine ? '\n' : '';
        isMidLine = false;
        return stderr.write(lead + text);
      },
    },
    watch: (sink) => ({
      ...sink,
      write: async (chunk) => {
        if (chunk.length > 0) isMidLine = chunk.at(-1) !== NEWLINE;
        await sink.write(chunk);
      },
    }),
  };
};
