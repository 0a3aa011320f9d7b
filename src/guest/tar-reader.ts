import {ByteReader} from './byte-reader.js';
import {printable} from './printable.js';
import {protocolError} from './protocol-error.js';
import {BLOCK_BYTES, decodeHeader, isZeroBlock, type TarHeader} from './tar-header.js';
import {decodePax, type PaxRecords} from './tar-pax.js';

export interface TarEntry {
  readonly kind: 'file' | 'directory' | 'other';
  /** As it came: any bytes. */
  readonly name: Buffer;
  readonly size: number;
  readonly mode: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** The content: what of it is not read before the next entry is skipped. */
  readonly content: () => AsyncGenerator<Buffer>;
}

/** A path of 4 KiB and a few records of other keywords; memory is spent on nothing longer. */
const MAX_PAX_BYTES = 64 * 1024;
/** GNU tar fills its last record of 10 KiB with zeros. */
const MAX_TRAILING_BYTES = 1024 * 1024;

const kinds: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '7': 'file',
  '5': 'directory',
  '1': 'other',
  '2': 'other',
  '3': 'other',
  '4': 'other',
  '6': 'other',
};

/**
 * The entries of a hostile archive in ustar or pax format. This is not tar-stream because that one gathers pax headers
 * of 4 MiB, turns names into text before anybody has checked them, and reads over the content of directories.
 */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source);
  for (;;) {
    const header = await nextEntry(reader);
    if (header === undefined) return drain(reader);
    let missing = header.size;
    const content = async function* (): AsyncGenerator<Buffer> {
      for await (const bytes of reader.exactly(missing)) {
        missing -= bytes.length;
        yield bytes;
      }
    };
    yield {...header, kind: kindOf(header), content};
    await reader.skip(missing + paddingOf(header.size));
  }
}

/** The next header with the pax header before it applied, or undefined at the end of the archive. */
const nextEntry = async (reader: ByteReader): Promise<TarHeader | undefined> => {
  let pax: PaxRecords | undefined;
  for (let headers = 0; headers < 3; headers += 1) {
    const block = await reader.block(BLOCK_BYTES);
    if (isZeroBlock(block)) return endOfArchive(reader, pax);
    const header = decodeHeader(block);
    if (header.type === 'x') pax = decodePax(await paxContent(reader, header));
    else if (header.type === 'g') await paxContent(reader, header);
    else return {...header, ...pax, ...(pax?.path === undefined ? {} : {name: pax.path})};
  }
  throw protocolError('its archive has a row of pax headers without an entry');
};

const endOfArchive = async (reader: ByteReader, pax: PaxRecords | undefined): Promise<undefined> => {
  if (pax !== undefined) throw protocolError('its archive ends with a pax header');
  if (!isZeroBlock(await reader.block(BLOCK_BYTES))) throw protocolError('its archive has half an end');
  return undefined;
};

const paxContent = async (reader: ByteReader, {size}: TarHeader): Promise<Buffer> => {
  if (size > MAX_PAX_BYTES) throw protocolError(`its archive has a pax header of ${size} bytes`);
  const content = await reader.block(size);
  await reader.skip(paddingOf(size));
  return content;
};

const kindOf = ({type, name}: TarHeader): TarEntry['kind'] => {
  const kind = kinds[type];
  // GNU's sparse and multi-volume entries have bodies that their size does not tell.
  if (kind === undefined) {
    throw protocolError(`its archive has '${printable(name, 100)}' of type '${printable(type, 1)}'`);
  }
  return kind;
};

const paddingOf = (size: number): number => (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;

const drain = async (reader: ByteReader): Promise<void> => {
  let seen = 0;
  for (;;) {
    const bytes = await reader.some(MAX_TRAILING_BYTES);
    if (bytes.length === 0) return;
    seen += bytes.length;
    if (seen > MAX_TRAILING_BYTES) throw protocolError('its archive goes on after its end');
  }
};
