/** A kernel image as QEMU's x86 loader knows it: a header, the release, and a payload. */
interface MadeUpKernel {
  readonly release: string;
  readonly payload: Buffer;
}

const SETUP_SECTORS = 4;
const SECTOR = 512;
const RELEASE_AT = 0x400;

export const makeBzImage = ({release, payload}: MadeUpKernel): Buffer => {
  const setup = Buffer.alloc((SETUP_SECTORS + 1) * SECTOR);
  setup[0x1f1] = SETUP_SECTORS;
  setup.write('HdrS', 0x202, 'latin1');
  setup.writeUInt16LE(0x020f, 0x206);
  setup.writeUInt16LE(RELEASE_AT - SECTOR, 0x20e);
  setup.writeUInt32LE(16, 0x248);
  setup.writeUInt32LE(payload.length, 0x24c);
  setup.write(`${release} (builder@host) #1 SMP`, RELEASE_AT, 'latin1');
  return Buffer.concat([setup, Buffer.alloc(16), payload]);
};
