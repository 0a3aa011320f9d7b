import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {type LibkrunGuest, withLibkrunGuest} from './libkrun-guest.ts';
import {refusal, withAgent} from './stdio-agent.ts';
import {encodeFields, Tag, Type} from './wire.ts';

const id = '00112233445566778899aabbccddeeff';

const sync = async ({peer}: LibkrunGuest): Promise<void> => {
  const done = peer.next(Type.sync);
  await peer.send(Type.sync, 0, encodeFields([[Tag.machineId, Buffer.from(id, 'hex')]]));
  expect((await done).payload).toHaveLength(0);
};

const expectId = (path: string): void => {
  expect(lstatSync(path).isFile()).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe(`${id}\n`);
  expect(lstatSync(path).mode & 0o7777).toBe(0o444);
};

test('SYNC writes the machine id where there is none, and D-Bus gets none of its own', () =>
  withLibkrunGuest(
    {fill: (root) => mkdirSync(join(root, 'var/lib/dbus'), {recursive: true})},
    async (guest) => {
      await sync(guest);
      expectId(join(guest.root, 'etc/machine-id'));
      expect(existsSync(join(guest.root, 'var/lib/dbus/machine-id'))).toBe(false);
    },
  ));

test('SYNC replaces the machine ids of the image', () =>
  withLibkrunGuest(
    {
      fill: (root) => {
        mkdirSync(join(root, 'etc'));
        mkdirSync(join(root, 'var/lib/dbus'), {recursive: true});
        writeFileSync(join(root, 'etc/machine-id'), `${'f'.repeat(32)}\n`, {mode: 0o644});
        writeFileSync(join(root, 'var/lib/dbus/machine-id'), `${'e'.repeat(32)}\n`);
      },
    },
    async (guest) => {
      await sync(guest);
      expectId(join(guest.root, 'etc/machine-id'));
      expectId(join(guest.root, 'var/lib/dbus/machine-id'));
    },
  ));

test('SYNC leaves a machine id that is right already alone', () =>
  withLibkrunGuest(
    {
      fill: (root) => {
        mkdirSync(join(root, 'etc'));
        writeFileSync(join(root, 'etc/machine-id'), `${id}\n`, {mode: 0o444});
        utimesSync(join(root, 'etc/machine-id'), 1000, 1000);
      },
    },
    async (guest) => {
      await sync(guest);
      expect(lstatSync(join(guest.root, 'etc/machine-id')).mtimeMs).toBe(1_000_000);
    },
  ));

test('SYNC follows no link with the machine id, nor is it kept by one that says the same', () =>
  withLibkrunGuest(
    {
      fill: (root) => {
        mkdirSync(join(root, 'etc'));
        mkdirSync(join(root, 'var/lib/dbus'), {recursive: true});
        writeFileSync(join(root, 'victim'), 'as it was');
        writeFileSync(join(root, 'same'), `${id}\n`);
        symlinkSync('/same', join(root, 'etc/machine-id'));
        symlinkSync('/victim', join(root, 'var/lib/dbus/machine-id'));
      },
    },
    async (guest) => {
      await sync(guest);
      expectId(join(guest.root, 'etc/machine-id'));
      expect(readlinkSync(join(guest.root, 'var/lib/dbus/machine-id'))).toBe('/victim');
      expect(readFileSync(join(guest.root, 'victim'), 'utf8')).toBe('as it was');
    },
  ));

test('SYNC is answered where no machine id can be written', () =>
  withLibkrunGuest(
    {fill: (root) => mkdirSync(join(root, 'etc/machine-id/full'), {recursive: true})},
    async (guest) => {
      await sync(guest);
      expect(existsSync(join(guest.root, 'etc/machine-id/full'))).toBe(true);
    },
  ));

test('SYNC leaves the machine id alone where the root is not the own one', () =>
  withAgent(async ({peer}) => {
    const before = ofHost();
    const done = peer.next(Type.sync);
    await peer.send(Type.sync, 0, encodeFields([[Tag.machineId, Buffer.alloc(16, 0xa7)]]));
    expect((await done).payload).toHaveLength(0);
    expect(ofHost()).toEqual(before);
  }));

const ofHost = (): string | undefined =>
  existsSync('/etc/machine-id') ? readFileSync('/etc/machine-id', 'utf8') : undefined;

test('refuses a MACHINE_ID of 15 bytes', async () => {
  const payload = encodeFields([[Tag.machineId, Buffer.alloc(15)]]);
  expect(await refusal(({peer}) => peer.send(Type.sync, 0, payload))).toMatch(/MACHINE_ID of 15 bytes/);
});
