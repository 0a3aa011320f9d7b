import {describe, expect, it} from 'vitest';
import {moduleName, readModuleInfo} from '../../../../src/launcher/qemu/kernel/modinfo.js';
import {makeElf} from './made-up-elf.js';

const moduleWith = (...fields: string[]): Buffer =>
  makeElf({
    sections: {'.text': Buffer.from('code'), '.modinfo': Buffer.from(fields.map((f) => `${f}\0`).join(''))},
  });

describe('readModuleInfo', () => {
  it('reads dependencies with one spelling of their names', () => {
    const info = readModuleInfo(moduleWith('license=GPL', 'depends=virtio_ring,net-failover', 'name=x'));
    expect(info).toEqual({depends: ['virtio_ring', 'net_failover'], softDepends: []});
  });

  it('knows modules without dependencies', () => {
    expect(readModuleInfo(moduleWith('depends='))).toEqual({depends: [], softDepends: []});
    expect(readModuleInfo(moduleWith('license=GPL'))).toEqual({depends: [], softDepends: []});
  });

  it('reads what should be loaded before, and not what should be loaded after', () => {
    const info = readModuleInfo(
      moduleWith('softdep=pre: crc32c aes post: later', 'softdep=post: x pre: sha-256'),
    );
    expect(info.softDepends).toEqual(['crc32c', 'aes', 'sha_256']);
  });

  it.each([
    ['something else', Buffer.from('#!/bin/sh\n')],
    ['an ELF without .modinfo', makeElf({sections: {'.text': Buffer.from('code')}})],
    ['an ELF that is cut off', moduleWith('depends=a').subarray(0, 300)],
    ['a bare header', makeElf({}).subarray(0, 64)],
  ])('refuses %s', (_name, file) => {
    expect(() => readModuleInfo(file)).toThrow();
  });
});

describe('moduleName', () => {
  it.each([
    ['kernel/drivers/virtio/virtio_pci.ko', 'virtio_pci'],
    ['kernel/arch/x86/crypto/crc32c-intel.ko.xz', 'crc32c_intel'],
    ['erofs.ko.zst', 'erofs'],
    ['net-failover', 'net_failover'],
  ])('%s is %s', (path, name) => {
    expect(moduleName(path)).toBe(name);
  });
});
