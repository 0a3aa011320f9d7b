import type {Sink} from '../model/sink.js';
import {lineSink} from './line-sink.js';
import {printable} from './printable.js';

const MAX_LINE = 16 * 1024;

/** A guest's console by lines, safe to show: what is not printable comes as an escape. */
export const consoleSink = (sink: Sink): Sink => {
  const lines = lineSink(sink, {maxLine: MAX_LINE, show: clean});
  return {
    write: lines.write,
    close: async () => {
      await lines.close();
      await sink.close();
    },
  };
};

/** A serial line ends its lines with a carriage return; tabs are what they are. */
const clean = (line: string): string => line.replace(/\r+$/, '').split('\t').map(printable).join('\t');
