import {StringDecoder} from 'node:string_decoder';
import type {Sink} from '../model/sink.js';

export interface LineOptions {
  /** In characters: what is longer goes out in pieces. */
  readonly maxLine: number;
  /** A line as it is shown, without its end. */
  readonly show: (line: string) => string;
}

/** Passes text on by whole lines, each as it is to be shown. Closing it writes the last one, and leaves `sink` open. */
export const lineSink = (sink: Sink, {maxLine, show}: LineOptions): Sink => {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const write = async (text: string): Promise<void> => {
    if (text !== '') await sink.write(Buffer.from(text));
  };
  return {
    write: async (chunk) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLine) lines.push(rest);
      if (rest.length > maxLine) rest = '';
      await write(lines.map((line) => `${show(line)}\n`).join(''));
    },
    close: async () => {
      await write(rest === '' ? '' : `${show(rest)}\n`);
      rest = '';
    },
  };
};
