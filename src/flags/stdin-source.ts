import {usageError} from '../model/errors.js';

const MAX_SOURCE = 256 * 1024 * 1024;

/** The source on standard input where the last argument is `-`; undefined without it. Throws USAGE for anything else. */
export const readSource = async (argument: string | undefined): Promise<Buffer | undefined> => {
  if (argument === undefined) return undefined;
  if (argument !== '-') {
    throw usageError(
      `Unexpected argument '${argument}'.`,
      'give a command with --cmd, source with --code, or - for source on stdin',
    );
  }
  if (process.stdin.isTTY) process.stderr.write('reading source from the terminal; end it with Ctrl-D\n');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_SOURCE)
      throw usageError('The source on stdin is larger than 256 MiB.', 'put data into files: --file');
  }
  return Buffer.concat(chunks);
};
