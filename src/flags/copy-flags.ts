import * as Flags from '@oclif/core/flags';
import {copyRange} from './limits.js';
import {parseSize} from './size.js';

export const copySizeFlag = {
  'max-size': Flags.custom<number>({parse: async (input) => parseSize(input, 'max-size', copyRange)})({
    summary: 'most that is copied; more is an error; in MiB, or as 512K or 8G',
    default: 2 * 1024 ** 3,
    defaultHelp: async () => '2G',
  }),
};
