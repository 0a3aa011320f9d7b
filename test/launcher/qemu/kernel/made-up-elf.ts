/** A small ELF64 file with the sections and notes that a test asks for. */
interface MadeUpElf {
  readonly sections?: Readonly<Record<string, Buffer>>;
  readonly notes?: readonly {readonly owner: string; readonly type: number}[];
}

const HEADER = 64;
const SECTION_HEADER = 64;
const PROGRAM_HEADER = 56;

export const makeElf = ({sections = {}, notes = []}: MadeUpElf): Buffer => {
  const named = [['', Buffer.alloc(0)] as const, ...Object.entries(sections)];
  const names = Buffer.from(`${named.map(([name]) => name).join('\0')}\0.shstrtab\0`);
  const all = [...named, ['.shstrtab', names] as const];
  const noteBytes = Buffer.concat(notes.map(makeNote));
  const bodies = [noteBytes, ...all.map(([, content]) => content)];
  const starts = bodies.map((_, index) => HEADER + PROGRAM_HEADER + lengthOf(bodies.slice(0, index)));
  const sectionTable = HEADER + PROGRAM_HEADER + lengthOf(bodies);
  const headers = all.map(([name, content], index) =>
    makeSectionHeader(names.indexOf(`${name}\0`), starts[index + 1] ?? 0, content.length),
  );
  return Buffer.concat([
    makeHeader(sectionTable, all.length),
    makeProgramHeader(starts[0] ?? 0, noteBytes.length),
    ...bodies,
    ...headers,
  ]);
};

const lengthOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, {length}) => sum + length, 0);

const makeHeader = (sectionTable: number, sectionCount: number): Buffer => {
  const header = Buffer.alloc(HEADER);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeBigUInt64LE(BigInt(HEADER), 0x20);
  header.writeBigUInt64LE(BigInt(sectionTable), 0x28);
  header.writeUInt16LE(PROGRAM_HEADER, 0x36);
  header.writeUInt16LE(1, 0x38);
  header.writeUInt16LE(SECTION_HEADER, 0x3a);
  header.writeUInt16LE(sectionCount, 0x3c);
  header.writeUInt16LE(sectionCount - 1, 0x3e);
  return header;
};

const makeProgramHeader = (offset: number, size: number): Buffer => {
  const header = Buffer.alloc(PROGRAM_HEADER);
  header.writeUInt32LE(4, 0); // PT_NOTE
  header.writeBigUInt64LE(BigInt(offset), 0x08);
  header.writeBigUInt64LE(BigInt(size), 0x20);
  return header;
};

const makeSectionHeader = (name: number, offset: number, size: number): Buffer => {
  const header = Buffer.alloc(SECTION_HEADER);
  header.writeUInt32LE(name, 0);
  header.writeBigUInt64LE(BigInt(offset), 0x18);
  header.writeBigUInt64LE(BigInt(size), 0x20);
  return header;
};

const makeNote = ({owner, type}: {owner: string; type: number}): Buffer => {
  const name = Buffer.alloc(Math.ceil((owner.length + 1) / 4) * 4);
  name.write(owner);
  const head = Buffer.alloc(12);
  head.writeUInt32LE(owner.length + 1, 0);
  head.writeUInt32LE(8, 4);
  head.writeUInt32LE(type, 8);
  return Buffer.concat([head, name, Buffer.alloc(8)]);
};
