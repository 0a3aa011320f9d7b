import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {prepareBootFiles} from '../../../src/launcher/qemu/boot-files.js';
import {MissingModuleError} from '../../../src/launcher/qemu/kernel/modules.js';
import {makeElf} from './kernel/made-up-elf.js';
import {makeBzImage} from './kernel/made-up-kernel.js';

const VMLINUX = makeElf({
  notes: [
    {owner: 'GNU', type: 3},
    {owner: 'Xen', type: 18},
  ],
});
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-boot-'));
  for (const name of ['virtio_pci', 'virtio_console', 'virtio_blk', 'erofs', 'overlay']) writeModule(name);
  write('modules/modules.builtin', 'kernel/fs/ext4/ext4.ko\n');
  write('agent', 'ELF of the agent');
  writeKernel(gzipSync(VMLINUX));
});
afterEach(() => {
  rmSync(folder, {recursive: true});
});

const write = (path: string, content: Buffer | string): void => {
  mkdirSync(join(folder, path, '..'), {recursive: true});
  writeFileSync(join(folder, path), content);
};
const writeKernel = (payload: Buffer): void => {
  write('vmlinuz', makeBzImage({release: '6.1-test', payload}));
};
const writeModule = (name: string, depends = ''): void => {
  const content = makeElf({sections: {'.modinfo': Buffer.from(`depends=${depends}\0`)}});
  write(`modules/kernel/${name}.ko.gz`, gzipSync(content));
};
const prepare = async (more: {network?: boolean} = {}) =>
  await prepareBootFiles({
    cacheFolder: join(folder, 'cache'),
    kernel: {
      path: join(folder, 'vmlinuz'),
      release: '6.1-test',
      modulesFolder: join(folder, 'modules'),
      readable: true,
    },
    architecture: 'x86_64',
    needs: {transport: 'pci', disks: true, network: more.network ?? false},
    guestAgentPath: join(folder, 'agent'),
    signal: new AbortController().signal,
  });

describe('prepareBootFiles', () => {
  it('unpacks the kernel and packs the initramfs, readable by the VMM in a folder that is not', async () => {
    const {kernelPath, initramfsPath} = await prepare();
    expect(readFileSync(kernelPath).equals(VMLINUX)).toBe(true);
    expect(readFileSync(initramfsPath, 'latin1')).toContain('ELF of the agent');
    expect(statSync(kernelPath).mode & 0o777).toBe(0o644);
    expect(statSync(initramfsPath).mode & 0o777).toBe(0o644);
    expect(statSync(join(folder, 'cache')).mode & 0o777).toBe(0o700);
  });

  it('makes each file once, however many ask', async () => {
    const [first, ...others] = await Promise.all([prepare(), prepare(), prepare(), prepare()]);
    const {mtimeMs} = statSync(first.kernelPath);
    expect(await prepare()).toEqual(first);
    expect(others).toEqual([first, first, first]);
    expect(statSync(first.kernelPath).mtimeMs).toBe(mtimeMs);
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(2);
  });

  it('makes another initramfs for another agent or other modules', async () => {
    const first = await prepare();
    write('agent', 'ELF of a newer agent');
    const second = await prepare();
    expect(second.kernelPath).toBe(first.kernelPath);
    expect(second.initramfsPath).not.toBe(first.initramfsPath);
    writeModule('virtio_net');
    expect((await prepare({network: true})).initramfsPath).not.toBe(second.initramfsPath);
  });

  it('boots the image as it is where there is no vmlinux to be had', async () => {
    const asItIs = async (payload: Buffer): Promise<boolean> => {
      writeKernel(payload);
      return readFileSync((await prepare()).kernelPath).equals(readFileSync(join(folder, 'vmlinuz')));
    };
    expect(await asItIs(gzipSync(makeElf({})))).toBe(true); // no PVH entry
    expect(await asItIs(gzipSync(VMLINUX).subarray(0, 40))).toBe(true); // damaged
    expect(await asItIs(Buffer.from('an unknown compression'))).toBe(true);
  });

  it('names a module that is missing', async () => {
    await expect(prepare({network: true})).rejects.toThrow('virtio_net');
    writeModule('virtio_net', 'net_failover');
    await expect(prepare({network: true})).rejects.toThrow(MissingModuleError);
  });

  it('removes what an update has left, and what a dead process was making', async () => {
    const first = await prepare();
    utimesSync(first.kernelPath, 0, 0);
    write('cache/.making-999999999-abc', 'half a kernel');
    write('cache/machine.json', 'somebody else’s');
    utimesSync(join(folder, 'cache/machine.json'), 0, 0);
    writeKernel(gzipSync(VMLINUX, {level: 1}));
    utimesSync(join(folder, 'vmlinuz'), 1, 1);
    const second = await prepare();
    expect(readdirSync(join(folder, 'cache')).sort()).toEqual(
      [first.initramfsPath, second.initramfsPath, second.kernelPath]
        .map((path) => path.split('/').pop())
        .concat('machine.json')
        .sort(),
    );
  });
});
