import {describe, expect, it} from 'vitest';
import {buildInitramfs} from '../../../../src/launcher/qemu/initramfs/build-initramfs.js';
import {writeCpio} from '../../../../src/launcher/qemu/initramfs/cpio.js';

interface Parsed {
  readonly path: string;
  readonly mode: string;
  readonly device: string;
  readonly content: string;
}

/** Reads newc as the kernel does: header, name and content each start at a multiple of four. */
const parse = (archive: Buffer): Parsed[] => {
  const entries: Parsed[] = [];
  for (let at = 0; at < archive.length; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number): number =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, size, major, minor, nameSize] = [field(1), field(6), field(9), field(10), field(11)];
    const path = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const start = align(at + 110 + nameSize);
    entries.push({
      path,
      mode: mode.toString(8),
      device: `${major}:${minor}`,
      content: archive.toString('latin1', start, start + size),
    });
    at = align(start + size);
  }
  return entries;
};
const align = (offset: number): number => Math.ceil(offset / 4) * 4;

describe('writeCpio', () => {
  it('writes files, folders and devices that the kernel can read back', () => {
    const archive = writeCpio([
      {type: 'folder', path: 'dev'},
      {type: 'charDevice', path: 'dev/console', major: 5, minor: 1},
      {type: 'file', path: 'init', mode: 0o755, content: Buffer.from('12345')},
      {type: 'file', path: 'empty', mode: 0o644, content: Buffer.alloc(0)},
    ]);
    expect(parse(archive)).toEqual([
      {path: 'dev', mode: '40755', device: '0:0', content: ''},
      {path: 'dev/console', mode: '20600', device: '5:1', content: ''},
      {path: 'init', mode: '100755', device: '0:0', content: '12345'},
      {path: 'empty', mode: '100644', device: '0:0', content: ''},
      {path: 'TRAILER!!!', mode: '0', device: '0:0', content: ''},
    ]);
    expect(archive.length % 4).toBe(0);
  });
});

describe('buildInitramfs', () => {
  it('has the agent as init and lists the modules in the order to load them', () => {
    const modules = [
      {name: 'virtio_ring', content: Buffer.from('ring')},
      {name: 'virtio', content: Buffer.from('virtio')},
    ];
    const entries = parse(buildInitramfs({agent: Buffer.from('ELF'), modules}));
    const contentOf = (path: string): string | undefined =>
      entries.find((entry) => entry.path === path)?.content;
    expect(contentOf('init')).toBe('ELF');
    expect(contentOf('modules/order')).toBe('/modules/virtio_ring.ko\n/modules/virtio.ko\n');
    expect(contentOf('modules/virtio.ko')).toBe('virtio');
  });
});
