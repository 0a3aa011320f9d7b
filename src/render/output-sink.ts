import type {Writable} from 'node:stream';
import {AgentError} from '../model/errors.js';
import type {Sink} from '../model/sink.js';
import {lineSink} from './line-sink.js';

/** Writes the guest's bytes to one of our own streams, at the pace of whoever reads it. */
export const streamSink = (stream: Writable): Sink => ({
  write: (chunk) =>
    new Promise((resolve, reject) => {
      stream.write(chunk, (error) => {
        if (!error) resolve();
        else reject('code' in error && error.code === 'EPIPE' ? brokenPipe() : cannotWrite(error));
      });
    }),
  close: async () => {},
});

// The reader of our output is gone (`| head`): nothing is left to say, and nobody to say it to.
const brokenPipe = (): AgentError => new AgentError('BROKEN_PIPE', 'nobody reads the output any more');

/** The place our output goes to refuses it: `> /dev/full`, a disk without space. */
export const cannotWrite = (error: Error): AgentError => {
  const isFull = 'code' in error && error.code === 'ENOSPC';
  return new AgentError(isFull ? 'DISK_FULL' : 'INTERNAL', `The output cannot be written: ${error.message}`, {
    cause: error,
    hints: ['check where standard output and standard error go'],
  });
};

const MAX_LINE = 64 * 1024;

/** Puts `prefix` before each line, so that several VMs can share one stream. */
export const prefixedSink = (sink: Sink, prefix: string): Sink =>
  lineSink(sink, {maxLine: MAX_LINE, show: (line) => `${prefix}${line}`});
