import {readdirSync, readFileSync, readlinkSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {bootGuest, shell} from '../support/booted-guest.js';
import {type LauncherFixture, makeFixture} from './launcher-fixture.js';

let fixture: LauncherFixture;
beforeAll(async () => {
  fixture = await makeFixture();
});
afterAll(() => {
  fixture?.remove();
});

/** What the VMM holds open of the host's files, besides its own program's, kernel, initramfs and disks. */
const inheritedFiles = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter(
      (path) =>
        path.startsWith('/') &&
        !/^\/dev\/(null|kvm)$|\/(kernel|initramfs)-[0-9a-f]+$|\/rootfs\.erofs$|\.img$/.test(path),
    );

const argvOf = (pid: number): string[] => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');

const statusOf = (pid: number): Record<string, string> =>
  Object.fromEntries(
    readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .map((line) => line.split(/:\s*/, 2) as [string, string]),
  );

describe('a VM of the QEMU launcher', () => {
  it('runs confined and without a network device', async () => {
    const {machine, guest} = await bootGuest(fixture.launcher, fixture.spec('confined-1'));
    try {
      const {pid} = machine.vmm;
      const status = statusOf(pid);
      expect(status.Seccomp).toBe('2');
      expect(status.NoNewPrivs).toBe('1');
      expect(status.CapEff).toMatch(/^0+$/);
      expect(status.CapPrm).toMatch(/^0+$/);
      if (process.getuid?.() === 0) {
        expect(status.CapBnd).toMatch(/^0+$/);
        expect(status.Uid?.split('\t').every((uid) => Number(uid) >= 65534)).toBe(true);
        expect(status.Groups?.trim()).toBe('');
        expect(readlinkSync(`/proc/${pid}/ns/net`)).not.toBe(readlinkSync('/proc/self/ns/net'));
      }
      expect(argvOf(pid).join(' ')).not.toMatch(/netdev|virtio-net|10\.0\.2/);
      expect(inheritedFiles(pid)).toEqual([]);
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0/);
      expect((await shell(guest, 'ls /sys/class/net')).trim()).toBe('lo');
      expect((await shell(guest, 'cat /proc/sys/kernel/hostname')).trim()).toBe('confined-1');
    } finally {
      await machine.kill();
    }
  });

  it('has a network device with allow_all, by which nothing reaches it', async () => {
    const spec = fixture.spec('online-1', {network: 'allow_all'});
    const {machine, guest} = await bootGuest(fixture.launcher, spec);
    try {
      expect((await shell(guest, 'ls /sys/class/net')).trim().split(/\s+/)).toEqual(['eth0', 'lo']);
      expect(await shell(guest, 'cat /proc/net/route')).toMatch(/eth0\s+00000000\s+0202000A/);
      expect(await shell(guest, 'cat /etc/resolv.conf')).toBe('nameserver 10.0.2.3\n');
      expect(argvOf(machine.vmm.pid).join(' ')).not.toContain('hostfwd');
    } finally {
      await machine.kill();
    }
  });

  it('takes no more of the disk than what was written', async () => {
    const spec = fixture.spec('sparse-1', {ephemeral: false});
    const {machine, guest} = await bootGuest(fixture.launcher, spec);
    try {
      await shell(guest, 'dd if=/dev/zero of=/srv/zeros bs=1M count=200 && sync');
      expect(statSync(join(spec.folder, 'upper.img')).blocks * 512).toBeLessThan(50 * 1024 * 1024);
    } finally {
      await machine.kill();
    }
  });

  it('shows the last words of a guest that gives up', async () => {
    const spec = fixture.spec('broken-1');
    const notAnImage = {...spec, image: {...spec.image, rootfsPath: process.execPath}};
    await expect(bootGuest(fixture.launcher, notAnImage)).rejects.toMatchObject({
      code: 'BOOT_FAILED',
      details: expect.arrayContaining([expect.stringContaining('erofs')]),
    });
  });
});
