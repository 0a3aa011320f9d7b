/** What a real guest does on SUSPEND and START. */
import {execFileSync} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {encodeFrame} from '../../src/guest/frame-encoder.js';
import type {Guest} from '../../src/guest/guest.js';
import {FrameType} from '../../src/guest/protocol.js';
import {bootGuest, shell} from '../support/booted-guest.js';
import {type LauncherFixture, makeFixture} from './launcher-fixture.js';
import {type StillGuest, suspendGuest} from './suspended-guest.js';

const MACHINE_ID = '0123456789ab4def8123456789abcdef';

let fixture: LauncherFixture;
beforeAll(async () => {
  fixture = await makeFixture();
});
afterAll(() => {
  fixture?.remove();
});

const withPersist = (id: string) => {
  const persistFolder = join(fixture.folder, `${id}-persist`);
  mkdirSync(persistFolder);
  return fixture.spec(id, {ephemeral: true, persistFolder});
};

const prepare = async (guest: Guest): Promise<void> => {
  await guest.sync(10_000, 'f'.repeat(32));
  await shell(guest, 'echo before >/srv/before; sleep 1000 >/dev/null 2>&1 & sleep 1000 &');
};

/** What must be so in every guest, however it came up. */
const everyGuest = `
for point in /proc /sys /sys/fs/cgroup /dev /dev/pts /dev/shm; do
  grep -q " $point " /proc/mounts || echo "no $point"
done
grep -c " / " /proc/mounts
readlink /workspace/in /workspace/out /workspace/persist /dev/fd
stat -c %a /in /out /persist
sed "s,/s[0-9]*$,," /proc/self/cgroup
cat /sys/fs/cgroup/agent/cgroup.subtree_control | wc -w
`;

const expected = `1
/in
/out
/persist
/proc/self/fd
1777
1777
1777
0::/agent
3
`;

const end = async ({machine}: StillGuest, guest: Guest): Promise<void> => {
  await guest.shutdown({graceMs: 300, timeoutMs: 20_000});
  guest.close();
  await machine.exited;
};

describe('a guest that stood still', () => {
  it('goes on in memory under another name, with nothing that ran before', async () => {
    const still = await suspendGuest(fixture.launcher, fixture.spec('still-1', {ephemeral: true}), prepare);
    try {
      const guest = await still.start({hostName: 'other-1', upper: null, persist: null});
      expect(guest.hello.phases.map(({name}) => name)).toEqual(['disks', 'root', 'ready']);
      await guest.sync(10_000, MACHINE_ID);
      expect(await shell(guest, everyGuest)).toBe(expected);
      expect(await shell(guest, 'cat /proc/sys/kernel/hostname /etc/hostname /etc/machine-id')).toBe(
        `other-1\nother-1\n${MACHINE_ID}\n`,
      );
      expect(
        await shell(guest, 'stat -c %a /etc/machine-id; grep -c other-1 /etc/hosts; cat /srv/before'),
      ).toBe('444\n1\nbefore\n');
      expect(await shell(guest, 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -c "[s]leep 1000"')).toBe(
        '0\n',
      );
      expect(await shell(guest, 'ls /dev | grep vd')).toBe('vda\n');
      await end(still, guest);
    } finally {
      await still.machine.kill();
    }
  });

  it('goes on with a disk for its writes, and keeps nothing of those before', async () => {
    const spec = withPersist('still-2');
    const still = await suspendGuest(fixture.launcher, spec, prepare);
    try {
      const guest = await still.start({hostName: 'other-2', upper: '/dev/vdb', persist: null});
      await guest.sync(10_000, MACHINE_ID);
      expect(await shell(guest, everyGuest)).toBe(expected);
      expect(await shell(guest, 'cat /proc/sys/kernel/hostname /etc/hostname /etc/machine-id')).toBe(
        `other-2\nother-2\n${MACHINE_ID}\n`,
      );
      expect(await shell(guest, 'ls /srv/before 2>&1 | wc -l; grep -c before /srv/before')).toContain(
        'No such file',
      );
      // More than the tmpfs of before could take.
      expect(
        await shell(guest, 'dd if=/dev/zero of=/big bs=1M count=300 2>&1 | tail -n 1; rm /big'),
      ).toContain('300');
      await shell(guest, 'echo kept >/srv/after');
      await end(still, guest);
      expect(onDisk(spec.persistFolder, 'cat /upper/srv/after')).toBe('kept\n');
      expect(onDisk(spec.persistFolder, 'show_super_stats -h')).toMatch(/Filesystem state: +clean\n/);
    } finally {
      await still.machine.kill();
    }
  });

  it('goes on in memory with a disk behind /persist', async () => {
    const spec = withPersist('still-3');
    const still = await suspendGuest(fixture.launcher, spec, async (guest) => {
      await prepare(guest);
      await shell(guest, 'echo early >/persist/early');
    });
    try {
      const guest = await still.start({hostName: 'other-3', upper: null, persist: '/dev/vdb'});
      expect(await shell(guest, everyGuest)).toBe(expected);
      expect(
        await shell(guest, 'cat /srv/before /persist/early; grep -c "/dev/vdb /persist ext4" /proc/mounts'),
      ).toBe('before\nearly\n1\n');
      await shell(guest, 'echo late >/persist/late');
      await end(still, guest);
      expect(onDisk(spec.persistFolder, 'cat /late')).toBe('late\n');
      expect(onDisk(spec.persistFolder, 'show_super_stats -h')).toMatch(/Filesystem state: +clean\n/);
    } finally {
      await still.machine.kill();
    }
  });

  it('takes nothing but START', async () => {
    const still = await suspendGuest(fixture.launcher, fixture.spec('still-4', {ephemeral: true}), prepare);
    try {
      const said = still.machine.lastLines().join('\n');
      expect(said).toContain('agent: stands still');
      still.machine.channel.write(encodeFrame({type: FrameType.PING, session: 0, payload: Buffer.alloc(8)}));
      await still.machine.exited;
      expect(still.machine.lastLines().join('\n')).toContain('type 14 for a guest that stands still');
    } finally {
      await still.machine.kill();
    }
  });
});

describe('SUSPEND is refused', () => {
  it('while a session is open', async () => {
    const {machine, guest} = await bootGuest(fixture.launcher, fixture.spec('refused-1', {ephemeral: true}));
    try {
      const session = guest.exec({argv: ['sleep', '1000'], env: [], cwd: '/', user: ''});
      session.exit.catch(() => {});
      await expect(guest.suspend(10_000)).rejects.toThrow('SUSPEND while a session is open');
      await machine.exited;
    } finally {
      await machine.kill();
    }
  });

  it('where writes go to a disk', async () => {
    const {machine, guest} = await bootGuest(fixture.launcher, fixture.spec('refused-2', {ephemeral: false}));
    try {
      await expect(guest.suspend(10_000)).rejects.toThrow('SUSPEND is not for this guest');
      await machine.exited;
    } finally {
      await machine.kill();
    }
  });
});

const onDisk = (folder: string | null, command: string): string =>
  execFileSync('debugfs', ['-R', command, join(folder ?? '', 'persist.img')], {
    encoding: 'utf8',
    env: {...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
