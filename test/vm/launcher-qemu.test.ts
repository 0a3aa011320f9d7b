import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readdirSync, readFileSync, readlinkSync, statSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {MachineSpec} from '../../src/launcher/launcher.js';
import {identifyProcess, isAlive} from '../../src/process/identity.js';
import {bootGuest, type LauncherFixture, launchOptions, makeFixture, shell} from './launcher-fixture.js';

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

/** Waits for a claim to become true; the test's own deadline ends it otherwise. */
const until = async (claim: () => boolean): Promise<void> => {
  while (!claim()) await new Promise((resolve) => setTimeout(resolve, 10));
};

describe('a VM of the QEMU launcher', () => {
  it('runs confined and without a network device', async () => {
    const {machine, guest} = await bootGuest(fixture, fixture.spec('confined-1'));
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

  it('reaches the network with allow_all, and nothing can reach it', async () => {
    const server = createServer((socket) => socket.end('from the host')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const {machine, guest} = await bootGuest(fixture, fixture.spec('online-1', {network: 'allow_all'}));
    try {
      expect((await shell(guest, 'ls /sys/class/net')).trim().split(/\s+/)).toEqual(['eth0', 'lo']);
      expect(await shell(guest, 'cat /proc/net/route')).toMatch(/eth0\s+00000000\s+0202000A/);
      expect(await shell(guest, 'cat /etc/resolv.conf')).toContain('nameserver 10.0.2.3');
      expect(argvOf(machine.vmm.pid).join(' ')).not.toContain('hostfwd');
      // The known hole of QEMU's user network: the gateway is the host's loopback.
      expect(await shell(guest, `exec 3<>/dev/tcp/10.0.2.2/${port} && cat <&3 || true`)).toMatch(
        /from the host|cannot|not found/i,
      );
    } finally {
      await machine.kill();
      server.close();
    }
  });

  it('keeps files over being killed, on its own disk and on /persist', async () => {
    const persistFolder = join(fixture.folder, 'persist');
    mkdirSync(persistFolder, {recursive: true});
    const spec = fixture.spec('keeper-1', {ephemeral: false, persistFolder});
    const first = await bootGuest(fixture, spec);
    await shell(first.guest, 'echo own > /srv/file; echo kept > /persist/file; sync');
    await first.machine.kill();
    const second = await bootGuest(fixture, spec);
    try {
      expect(await shell(second.guest, 'cat /srv/file /persist/file')).toBe('own\nkept\n');
      await shell(second.guest, 'dd if=/dev/zero of=/srv/zeros bs=1M count=200 && sync');
      expect(statSync(join(spec.folder, 'upper.img')).blocks * 512).toBeLessThan(50 * 1024 * 1024);
      await second.guest.shutdown({graceMs: 100, timeoutMs: 10_000});
      expect(await second.machine.exited).toEqual({code: 0, signal: null});
    } finally {
      await second.machine.kill();
    }
  });

  it('leaves nothing of an ephemeral VM but its console', async () => {
    const spec = fixture.spec('passing-1');
    const {machine, guest} = await bootGuest(fixture, spec);
    expect(await shell(guest, 'echo x > /srv/file && cat /srv/file')).toBe('x\n');
    await machine.kill();
    expect(statSync(join(spec.folder, 'console.log')).mode & 0o777).toBe(0o600);
    expect(() => statSync(join(spec.folder, 'upper.img'))).toThrow('ENOENT');
  });

  it('shows the last words of a guest that gives up', async () => {
    const spec = fixture.spec('broken-1');
    const notAnImage = {...spec, image: {...spec.image, rootfsPath: process.execPath}};
    await expect(bootGuest(fixture, notAnImage)).rejects.toMatchObject({
      code: 'BOOT_FAILED',
      details: expect.arrayContaining([expect.stringContaining('erofs')]),
    });
  });

  it('ends with the signal', async () => {
    const ending = new AbortController();
    const {machine} = await bootGuest(fixture, fixture.spec('aborted-1'), ending.signal);
    ending.abort();
    expect(await machine.exited).toEqual({code: null, signal: 'SIGKILL'});
    expect(isAlive(machine.vmm)).toBe(false);
  });

  it('is ended with its own id, and with no other', async () => {
    const {machine} = await bootGuest(fixture, fixture.spec('leftover-1'));
    await fixture.launcher.end({id: 'leftover-11'});
    expect(isAlive(machine.vmm)).toBe(true);
    await fixture.launcher.end({id: 'leftover-1'});
    expect(await machine.exited).toEqual({code: null, signal: 'SIGKILL'});
    await fixture.launcher.end({id: 'leftover-1'});
    await machine.kill();
  });

  it('dies with the process that started it', async () => {
    const {pid, parent} = await bootInAnotherProcess(fixture.spec('orphan-1'));
    const vmm = identifyProcess(pid);
    if (vmm === undefined) throw new Error('the VMM has ended');
    parent.kill('SIGKILL');
    await until(() => !isAlive(vmm));
  });
});

const bootInAnotherProcess = async (spec: MachineSpec) => {
  const script = fileURLToPath(new URL('boot-and-stay.ts', import.meta.url));
  const args = ['--import', 'tsx', script, JSON.stringify(fixture.options), JSON.stringify(spec)];
  const parent = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit']});
  const [line] = await once(parent.stdout, 'data');
  return {parent, pid: Number(String(line).trim())};
};

describe('the launcher', () => {
  it('examines this machine by booting a guest', async () => {
    const report = await fixture.launcher.examine(launchOptions(new AbortController().signal));
    expect(report).toMatchObject({launcher: 'qemu', usable: true});
    expect(['tcg', 'kvm', 'hvf']).toContain(report.accelerator);
    const booted = report.findings.find(({ok, subject}) => ok && subject.startsWith('boot with'));
    expect(booted?.seen).toMatch(/^kernel \d\S+ after \d+ ms$/);
    for (const finding of report.findings) expect(finding.ok || finding.mend).toBeTruthy();
  });
});
