/** VMs that go on from a template, by the launcher alone. */
import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {connectGuest} from '../../src/guest/connect.js';
import type {Guest} from '../../src/guest/guest.js';
import type {MachineSpec, Template, Templates} from '../../src/launcher/launcher.js';
import {type BootedGuest, launchOptions, shell} from '../support/booted-guest.js';
import {type LauncherFixture, makeFixture} from './launcher-fixture.js';

let fixture: LauncherFixture;
let templates: Templates;
let made: Template;
let spec: MachineSpec;

const marked = async (guest: Guest): Promise<void> => {
  await shell(guest, 'echo warm >/tmp/warm');
};

beforeAll(async () => {
  fixture = await makeFixture();
  spec = fixture.spec('template');
  const found = await fixture.launcher.templates();
  if (!found) throw new Error('no templates here');
  templates = found;
  expect(await templates.has(spec)).toBe(false);
  expect(existsSync(fixture.options.templatesFolder)).toBe(false);
  made = await templates.make(spec, {...launchOptions(), warmUp: marked});
});
afterAll(() => fixture.remove());

/** It has to be restored. */
const restore = async (own: MachineSpec): Promise<BootedGuest> => {
  await fixture.launcher.provision(own, launchOptions());
  const machine = await fixture.launcher.boot(own, {...launchOptions(), mayRestore: true});
  const {channel, lastLines} = machine;
  try {
    expect(machine.restored?.isSound()).toBe(true);
    const guest = await connectGuest({channel, timeoutMs: 20_000, ...launchOptions(), lastLines});
    return {machine, guest};
  } catch (error) {
    await machine.kill();
    throw error;
  }
};

const withRestored = async <T>(own: MachineSpec, use: (guest: Guest) => Promise<T>): Promise<T> => {
  const {machine, guest} = await restore(own);
  try {
    return await use(guest);
  } finally {
    await machine.kill();
  }
};

/** What tells one VM from another. */
const IDENTITY =
  'hostname; cat /etc/hostname /etc/machine-id /proc/sys/kernel/random/boot_id; head -c 16 /dev/urandom | od -An -tx1';

describe('a template', () => {
  it('is small beside its memory, private, and complete', () => {
    expect(made).toMatchObject({digest: spec.image.digest, cpus: 1, memoryMib: 256, network: 'none'});
    expect(made.sizeBytes).toBeLessThan(128 * 1024 ** 2);
    const folder = fixture.options.templatesFolder;
    const keys = readdirSync(folder);
    expect(keys).toHaveLength(1);
    for (const name of ['', ...readdirSync(join(folder, keys[0] ?? ''))]) {
      expect(statSync(join(folder, keys[0] ?? '', name)).mode & 0o077).toBe(0);
    }
  });

  it('is kept when it is made again, and told by all that a VM is', async () => {
    const again = await templates.make(spec, {
      ...launchOptions(),
      warmUp: async () => {
        throw new Error('made again');
      },
    });
    expect(again).toEqual(made);
    expect(await templates.list()).toEqual([made]);
    expect(await templates.has({...spec, memoryMib: 300})).toBe(false);
    expect(await templates.has({...spec, cpus: 2})).toBe(false);
    expect(await templates.has({...spec, network: 'allow_all'})).toBe(false);
    expect(await templates.has({...spec, image: {...spec.image, digest: `sha256:${'1'.repeat(64)}`}})).toBe(
      false,
    );
  });

  it('is not made where warming it fails, and nothing is left of the attempt', async () => {
    const other = {...spec, memoryMib: 200};
    const warmUp = async (): Promise<void> => {
      throw new Error('cold feet');
    };
    await expect(templates.make(other, {...launchOptions(), warmUp})).rejects.toThrow('cold feet');
    expect(await templates.has(other)).toBe(false);
    expect(readdirSync(fixture.options.templatesFolder)).toHaveLength(1);
  });

  it('gives two hundred VMs that are each their own, at the right time', async () => {
    const seen: string[][] = [];
    const next = Array.from({length: 200}, (_, index) => index + 1);
    const work = async (): Promise<void> => {
      for (let index = next.pop(); index !== undefined; index = next.pop()) {
        const id = `copy-${index}`;
        const machineId = index.toString(16).padStart(32, '0');
        await withRestored(fixture.spec(id), async (guest) => {
          await guest.sync(10_000, machineId);
          const [host = '', file = '', own = '', boot = '', random = '', time = ''] = (
            await shell(guest, `${IDENTITY}; date +%s`)
          ).split('\n');
          expect([host, file, own]).toEqual([id, id, machineId]);
          expect(Math.abs(Number(time) * 1000 - Date.now())).toBeLessThan(5_000);
          seen.push([boot, random]);
        });
      }
    };
    await Promise.all([work(), work(), work()]);
    for (const column of [0, 1]) {
      expect(new Set(seen.map((row) => row[column])).size).toBe(200);
      for (const row of seen) expect(row[column]?.trim().length).toBeGreaterThan(30);
    }
  }, 600_000);

  it('brings what warmed it, and is changed by none of its VMs', async () => {
    const [key = ''] = readdirSync(fixture.options.templatesFolder);
    const saved = join(fixture.options.templatesFolder, key, 'saved');
    const before = readFileSync(saved);
    const said = await withRestored(
      fixture.spec('writes'),
      async (guest) => await shell(guest, 'cat /tmp/warm; echo changed >/tmp/warm; cat /tmp/warm; sync'),
    );
    expect(said).toBe('warm\nchanged\n');
    expect(await withRestored(fixture.spec('reads'), (guest) => shell(guest, 'cat /tmp/warm'))).toBe(
      'warm\n',
    );
    expect(readFileSync(saved).equals(before)).toBe(true);
  });

  it('shows a VM the disks that it has, by the names that a boot gives them', async () => {
    const seen = 'echo /dev/vd*; sed -n "s/ .persist ext4 .*//p" /proc/mounts';
    const persistFolder = join(fixture.spec('named').folder, 'persist');
    const kinds = [
      [{}, '/dev/vda\n'],
      [{persistFolder}, '/dev/vda /dev/vdb\n/dev/vdb\n'],
      [{diskMib: 64}, '/dev/vda /dev/vdb\n'],
      [{persistFolder, diskMib: 64}, '/dev/vda /dev/vdb /dev/vdc\n/dev/vdc\n'],
    ] as const;
    for (const [index, [more, expected]] of kinds.entries()) {
      const own = fixture.spec(`named-${index}`, more);
      expect(await withRestored(own, (guest) => shell(guest, seen))).toBe(expected);
    }
  });

  it('gives a VM its own disks, whose files outlive it', async () => {
    const persistFolder = join(fixture.spec('persist').folder, 'persist');
    const own = fixture.spec('disks', {ephemeral: false, persistFolder});
    const first = await restore(own);
    const write =
      'echo own >/srv/file; echo kept >/persist/file; df -k / | tail -1; stat -c %a /persist; cat /tmp/warm';
    const said = await shell(first.guest, write);
    expect(said).toMatch(/^overlay\s+[78]\d{6} /);
    expect(said).toContain('1777\n');
    await first.guest.shutdown({graceMs: 100, timeoutMs: 10_000});
    expect(await first.machine.exited).toEqual({code: 0, signal: null});
    const cold = await fixture.launcher.boot(own, launchOptions());
    expect(cold.restored).toBeNull();
    const guest = await connectGuest({...cold, timeoutMs: 60_000, ...launchOptions()});
    expect(await shell(guest, 'cat /srv/file /persist/file')).toBe('own\nkept\n');
    await cold.kill();
    await withRestored(own, async (restored) => {
      expect(await shell(restored, 'cat /srv/file /persist/file')).toBe('own\nkept\n');
      expect(
        await shell(restored, 'ls -d /proc/self /sys/class /dev/null /dev/pts /in /out /workspace/in/.'),
      ).toBe('/dev/null\n/dev/pts\n/in\n/out\n/proc/self\n/sys/class\n/workspace/in/.\n');
    });
  });
});
