/** The few things we want to know of a 64-bit little-endian ELF file: sections by name, and notes. */
const PROGRAM_NOTE = 4;

interface Range {
  readonly offset: number;
  readonly size: number;
}

export const isElf64 = (file: Buffer): boolean =>
  file.length >= 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1;

/** The content of a section, or undefined where there is none of that name. Throws RangeError on a damaged file. */
export const readElfSection = (file: Buffer, name: string): Buffer | undefined => {
  const [tableOffset, entrySize, count] = [u64(file, 0x28), file.readUInt16LE(0x3a), file.readUInt16LE(0x3c)];
  const header = (index: number): Range & {readonly name: number} => {
    const at = tableOffset + index * entrySize;
    return {name: file.readUInt32LE(at), offset: u64(file, at + 0x18), size: u64(file, at + 0x20)};
  };
  if (count === 0) return undefined;
  const names = slice(file, header(file.readUInt16LE(0x3e)));
  for (let index = 1; index < count; index++) {
    const section = header(index);
    if (cString(names, section.name) === name) return slice(file, section);
  }
  return undefined;
};

/** Whether the file holds a note of that owner and type. */
export const hasElfNote = (file: Buffer, owner: string, type: number): boolean => {
  const [tableOffset, entrySize, count] = [u64(file, 0x20), file.readUInt16LE(0x36), file.readUInt16LE(0x38)];
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * entrySize;
    if (file.readUInt32LE(at) !== PROGRAM_NOTE) continue;
    const notes = slice(file, {offset: u64(file, at + 0x08), size: u64(file, at + 0x20)});
    if (listNotes(notes).some((note) => note.owner === owner && note.type === type)) return true;
  }
  return false;
};

const listNotes = (notes: Buffer): {owner: string; type: number}[] => {
  const found: {owner: string; type: number}[] = [];
  for (let at = 0; at + 12 <= notes.length; ) {
    const [ownerSize, valueSize] = [notes.readUInt32LE(at), notes.readUInt32LE(at + 4)];
    found.push({owner: cString(notes, at + 12), type: notes.readUInt32LE(at + 8)});
    at += 12 + align4(ownerSize) + align4(valueSize);
  }
  return found;
};

const align4 = (size: number): number => Math.ceil(size / 4) * 4;

const u64 = (file: Buffer, at: number): number => Number(file.readBigUInt64LE(at));

const slice = (file: Buffer, {offset, size}: Range): Buffer => {
  if (offset + size > file.length) throw new RangeError('ELF range lies outside of the file');
  return file.subarray(offset, offset + size);
};

const cString = (bytes: Buffer, at: number): string => {
  const end = bytes.indexOf(0, at);
  return end < 0 ? '' : bytes.toString('latin1', at, end);
};
