import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {findKernels, userKernel} from '../../../../src/launcher/qemu/kernel/find-kernels.js';
import {makeBzImage} from './made-up-kernel.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-kernels-'));
});
afterEach(() => {
  rmSync(folder, {recursive: true});
});

const write = (path: string, content: Buffer | string): string => {
  mkdirSync(join(folder, path, '..'), {recursive: true});
  writeFileSync(join(folder, path), content);
  return join(folder, path);
};
const image = (release: string): Buffer => makeBzImage({release, payload: Buffer.from('payload')});

describe('findKernels', () => {
  it('finds downloaded kernels with their modules, by the release that they state', async () => {
    const path = write('kernels/one/boot/vmlinuz-6.1.0-1-cloud-amd64', image('6.1.0-1-cloud-amd64'));
    write('kernels/one/lib/modules/6.1.0-1-cloud-amd64/kernel/x.ko', '');
    write('kernels/one/boot/config-6.1.0-1-cloud-amd64', '');
    const found = (await findKernels(folder)).filter((kernel) => kernel.path.startsWith(folder));
    expect(found).toEqual([
      {
        path,
        release: '6.1.0-1-cloud-amd64',
        modulesFolder: join(folder, 'kernels/one/lib/modules/6.1.0-1-cloud-amd64'),
        readable: true,
      },
    ]);
  });

  it('finds kernels that lie beside their modules', async () => {
    const path = write('kernels/two/lib/modules/6.8.1-virt/vmlinuz', image('6.8.1-virt'));
    write('kernels/two/lib/modules/6.8.1-virt/kernel/x.ko', '');
    const [found] = (await findKernels(folder)).filter((kernel) => kernel.path.startsWith(folder));
    expect(found).toMatchObject({path, release: '6.8.1-virt', readable: true});
  });

  it('takes the release from the name of an image that does not state it, and tells what has no modules', async () => {
    write('kernels/three/boot/vmlinuz-6.1.0-1-cloud-arm64', 'MZ arm64 image');
    const [found] = (await findKernels(folder)).filter((kernel) => kernel.path.startsWith(folder));
    expect(found).toMatchObject({release: '6.1.0-1-cloud-arm64', modulesFolder: null});
  });
});

describe('userKernel', () => {
  it.each([
    ['6.6.1-mine', 'beside it'],
    ['modules/6.6.1-mine', 'in modules'],
    ['lib/modules/6.6.1-mine', 'in lib/modules'],
    ['../lib/modules/6.6.1-mine', 'in lib/modules of its parent'],
  ])('finds modules at %s', async (place) => {
    const path = write('boot/vmlinuz', image('6.6.1-mine'));
    write(join('boot', place, 'kernel/x.ko'), '');
    expect(await userKernel(path)).toEqual({
      path,
      release: '6.6.1-mine',
      modulesFolder: join(folder, 'boot', place),
      readable: true,
    });
  });

  it.each([
    ['plain', (text: string) => Buffer.from(text)],
    ['gzip', (text: string) => gzipSync(text)],
  ])('reads the release out of a %s image without a header', async (_name, pack) => {
    const path = write('Image', pack(`\0\0Linux version 6.6.2-arm (me@here) #1 SMP\0`));
    expect(await userKernel(path)).toMatchObject({release: '6.6.2-arm', modulesFolder: null});
  });

  it('says what is wrong with a kernel that cannot be read', async () => {
    await expect(userKernel(join(folder, 'none'))).rejects.toMatchObject({
      code: 'KERNEL_NOT_FOUND',
      message: expect.stringContaining('AGENT_KERNEL'),
    });
    const path = write('folder/x', '');
    chmodSync(path, 0o600);
    await expect(userKernel(join(folder, 'folder'))).rejects.toMatchObject({code: 'KERNEL_NOT_FOUND'});
  });
});
