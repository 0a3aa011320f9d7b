import {StringDecoder} from 'node:string_decoder';
import type {Sink} from '../model/sink.js';
import {printable} from './printable.js';

const MAX_LINE = 16 * 1024;

/** A guest's console by lines, safe to show: what is not printable comes as an escape. */
export const consoleSink = (sink: Sink): Sink => {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const write = async (text: string): Promise<void> => {
    if (text !== '') await sink.write(Buffer.from(text));
  };
  return {
    write: async (chunk) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE) lines.push(rest);
      if (rest.length > MAX_LINE) rest = '';
      await write(lines.map((line) => `${clean(line)}\n`).join(''));
    },
    close: async () => {
      await write(rest === '' ? '' : `${clean(rest)}\n`);
      rest = '';
      await sink.close();
    },
  };
};

/** A serial line ends its lines with a carriage return; tabs are what they are. */
const clean = (line: string): string => line.replace(/\r+$/, '').split('\t').map(printable).join('\t');
