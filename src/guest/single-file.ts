import {protocolError} from './protocol-error.js';
import {readTar, type TarEntry} from './tar-reader.js';
import {tooMuch} from './too-much.js';

/** The one file of a hostile archive that was asked for as such; its own name is of no use. Returns its size. */
export const withSingleFile = async (
  tar: AsyncIterable<Buffer>,
  maxBytes: number,
  use: (entry: TarEntry) => Promise<void>,
): Promise<number> => {
  let size: number | undefined;
  for await (const entry of readTar(tar)) {
    if (size !== undefined || entry.kind !== 'file')
      throw protocolError('its archive holds more than the file');
    if (entry.size > maxBytes) throw tooMuch(`${maxBytes} bytes`);
    size = entry.size;
    await use(entry);
  }
  if (size === undefined) throw protocolError('its archive holds no file');
  return size;
};
