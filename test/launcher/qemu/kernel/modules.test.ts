import {describe, expect, it} from 'vitest';
import {
  MissingModuleError,
  modulesFor,
  orderModules,
  parseBuiltin,
} from '../../../../src/launcher/qemu/kernel/modules.js';

type Depends = Readonly<Record<string, readonly string[]>>;

const order = async (
  depends: Depends,
  needed: string[],
  extra: {builtin?: string[]; soft?: Depends; wished?: string[]} = {},
) =>
  await orderModules(
    {files: new Map(Object.keys(depends).map((name) => [name, name])), builtin: new Set(extra.builtin ?? [])},
    {needed, wished: extra.wished ?? []},
    async (name) => ({depends: depends[name] ?? [], softDepends: extra.soft?.[name] ?? []}),
  );

describe('orderModules', () => {
  it('puts dependencies first, each once', async () => {
    const depends = {
      pci: ['ring', 'virtio'],
      virtio: ['ring'],
      ring: [],
      blk: ['virtio', 'ring'],
      unused: [],
    };
    expect(await order(depends, ['pci', 'blk'])).toEqual(['ring', 'virtio', 'pci', 'blk']);
  });

  it('leaves out what is built in', async () => {
    expect(await order({erofs: ['libcrc32c']}, ['erofs', 'ext4'], {builtin: ['libcrc32c', 'ext4']})).toEqual([
      'erofs',
    ]);
  });

  it('loads what is wished for first, where it exists', async () => {
    const depends = {crc32c_intel: [], erofs: []};
    const wished = ['crc32c_intel', 'crc32c_generic'];
    expect(await order(depends, ['erofs'], {wished})).toEqual(['crc32c_intel', 'erofs']);
  });

  it('follows soft dependencies where they exist', async () => {
    const soft = {libcrc32c: ['crc32c', 'crc32c_generic']};
    expect(await order({libcrc32c: [], crc32c_generic: []}, ['libcrc32c'], {soft})).toEqual([
      'crc32c_generic',
      'libcrc32c',
    ]);
  });

  it('ends on circles', async () => {
    expect(await order({a: ['b'], b: ['a']}, ['a'])).toEqual(['b', 'a']);
  });

  it('names a missing module and who needs it', async () => {
    await expect(order({net: ['failover']}, ['net'])).rejects.toThrow('failover (needed by net)');
    await expect(order({}, ['erofs'])).rejects.toThrow(MissingModuleError);
  });
});

describe('parseBuiltin', () => {
  it('reads modules.builtin', () => {
    expect(parseBuiltin('kernel/fs/ext4/ext4.ko\nkernel/crypto/crc32c-generic.ko\n')).toEqual(
      new Set(['ext4', 'crc32c_generic']),
    );
  });
});

describe('modulesFor', () => {
  it('asks for no disk and no network where the guest has none', () => {
    expect(modulesFor({transport: 'mmio', disks: false, network: false})).toEqual({
      needed: ['virtio_mmio', 'virtio_console'],
      wished: [],
    });
    expect(modulesFor({transport: 'pci', disks: true, network: true}).needed).toEqual([
      'virtio_pci',
      'virtio_console',
      'virtio_blk',
      'erofs',
      'overlay',
      'ext4',
      'virtio_net',
    ]);
  });
});
