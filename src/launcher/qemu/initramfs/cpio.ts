/** Writes the "newc" cpio format that Linux takes as an initramfs (Documentation/driver-api/early-userspace). */
export type CpioEntry =
  | {readonly type: 'folder'; readonly path: string}
  | {readonly type: 'file'; readonly path: string; readonly mode: number; readonly content: Buffer}
  | {readonly type: 'charDevice'; readonly path: string; readonly major: number; readonly minor: number};

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFCHR = 0o020000;

/** The same entries give the same bytes. Paths have no leading slash; a folder comes before what it holds. */
export const writeCpio = (entries: readonly CpioEntry[]): Buffer =>
  Buffer.concat([
    ...entries.flatMap((entry, index) => record(entry.path, headerOf(entry, index + 1), contentOf(entry))),
    ...record('TRAILER!!!', {inode: 0, mode: 0, links: 1, major: 0, minor: 0}, Buffer.alloc(0)),
  ]);

interface Header {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly major: number;
  readonly minor: number;
}

const headerOf = (entry: CpioEntry, inode: number): Header => {
  switch (entry.type) {
    case 'folder':
      return {inode, mode: S_IFDIR | 0o755, links: 2, major: 0, minor: 0};
    case 'file':
      return {inode, mode: S_IFREG | entry.mode, links: 1, major: 0, minor: 0};
    case 'charDevice':
      return {inode, mode: S_IFCHR | 0o600, links: 1, major: entry.major, minor: entry.minor};
  }
};

const contentOf = (entry: CpioEntry): Buffer => (entry.type === 'file' ? entry.content : Buffer.alloc(0));

/** Header and name together, and the content, are each filled up to four bytes. */
const record = (path: string, header: Header, content: Buffer): Buffer[] => {
  const name = Buffer.from(`${path}\0`, 'utf8');
  const [uid, gid, mtime, devMajor, devMinor, checksum] = [0, 0, 0, 0, 0, 0];
  const fields = [
    header.inode,
    header.mode,
    uid,
    gid,
    header.links,
    mtime,
    content.length,
    devMajor,
    devMinor,
    header.major,
    header.minor,
    name.length,
    checksum,
  ];
  const head = Buffer.concat([Buffer.from(`070701${fields.map(hex8).join('')}`, 'latin1'), name]);
  return [head, padding(head.length), content, padding(content.length)];
};

const hex8 = (value: number): string => value.toString(16).padStart(8, '0');

const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);
