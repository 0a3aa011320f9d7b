/**
 * Decodes what lmdb-js has msgpackr write for plain objects. It throws for all else that MessagePack knows, and for what
 * is damaged: whoever asks has msgpackr look at that.
 */
export const decode = (bytes: Buffer): unknown => {
  const source: Source = {bytes, at: 0, structures: []};
  const value = readValue(source);
  if (source.at !== bytes.length) throw notOurs(source);
  return value;
};

interface Source {
  readonly bytes: Buffer;
  at: number;
  /** Names of fields, by the number that a value has for them. */
  readonly structures: (readonly string[])[];
}

const notOurs = ({at}: Source): RangeError => new RangeError(`no value of ours before byte ${at}`);

const skip = (source: Source, length: number): number => {
  const start = source.at;
  source.at += length;
  if (source.at > source.bytes.length) throw notOurs(source);
  return start;
};

const readValue = (source: Source): unknown => {
  const token = source.bytes.readUInt8(skip(source, 1));
  if (token < 0x40) return token;
  if (token < 0x80) return readReference(source, token);
  if (token >= 0xe0) return token - 0x100;
  if (token >= 0xa0 && token < 0xc0) return readText(source, token - 0xa0);
  if (token >= 0x90 && token < 0xa0) return readArray(source, token - 0x90);
  const read = readers.get(token);
  if (!read) throw notOurs(source);
  return read(source);
};

type Read = (source: Source) => unknown;

const readers: ReadonlyMap<number, Read> = new Map<number, Read>([
  [0xc0, () => null],
  [0xc2, () => false],
  [0xc3, () => true],
  [0xca, (source) => source.bytes.readFloatBE(skip(source, 4))],
  [0xcb, (source) => source.bytes.readDoubleBE(skip(source, 8))],
  [0xcc, (source) => readLength(source, 1)],
  [0xcd, (source) => readLength(source, 2)],
  [0xce, (source) => readLength(source, 4)],
  [0xd0, (source) => source.bytes.readInt8(skip(source, 1))],
  [0xd1, (source) => source.bytes.readInt16BE(skip(source, 2))],
  [0xd2, (source) => source.bytes.readInt32BE(skip(source, 4))],
  [0xd4, (source) => readExtension(source)],
  [0xd9, (source) => readText(source, readLength(source, 1))],
  [0xda, (source) => readText(source, readLength(source, 2))],
  [0xdb, (source) => readText(source, readLength(source, 4))],
  [0xdc, (source) => readArray(source, readLength(source, 2))],
  [0xdd, (source) => readArray(source, readLength(source, 4))],
]);

const readLength = (source: Source, width: 1 | 2 | 4): number =>
  source.bytes.readUIntBE(skip(source, width), width);

const readText = (source: Source, length: number): string => {
  const start = skip(source, length);
  return source.bytes.toString('utf8', start, source.at);
};

const readArray = (source: Source, length: number): unknown[] => {
  const values: unknown[] = [];
  for (let n = 0; n < length; n++) values.push(readValue(source));
  return values;
};

const UNDEFINED = 0x00;
const RECORD = 0x72;

/** `undefined`, or an object whose fields are named here, for those of the same shape behind it. */
const readExtension = (source: Source): unknown => {
  const [type, data] = [readLength(source, 1), readLength(source, 1)];
  if (type === UNDEFINED && data === 0) return undefined;
  if (type !== RECORD || data < 0x40 || data >= 0x80) throw notOurs(source);
  const names = readValue(source);
  if (!Array.isArray(names) || !names.every(isPlainName)) throw notOurs(source);
  source.structures[data] = names;
  return readObject(source, names);
};

const isPlainName = (name: unknown): name is string => typeof name === 'string' && name !== '__proto__';

/** An object of a known shape; a number where there is no such shape. */
const readReference = (source: Source, token: number): unknown => {
  const names = source.structures[token];
  return names ? readObject(source, names) : token;
};

const readObject = (source: Source, names: readonly string[]): Record<string, unknown> => {
  const object: Record<string, unknown> = {};
  for (const name of names) object[name] = readValue(source);
  return object;
};
