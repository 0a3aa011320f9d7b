import {cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {readCatalog} from '../../src/image/catalog.js';
import {imageFolder, recordPath, rootfsPath} from '../../src/image/layout.js';
import {agent, jsonLines, makeState, prepared} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {rootfsOf} from '../support/rootfs.js';
import {useState} from '../support/vm-state.js';

const digest = `sha256:${'5'.repeat(64)}`;

const config = {
  env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'FROM_IMAGE=yes', 'SHARED=image', 'EMPTY='],
  workdir: '/var/tmp',
  user: 'daemon',
};

/** The prepared images, and one more: Python's root file system with settings of ours. */
const state = useState(() => {
  const made = makeState();
  const images = join(made.path, 'images');
  unlinkSync(images);
  mkdirSync(images, {mode: 0o700});
  for (const name of readdirSync(prepared.images)) {
    if (name === 'refs') cpSync(join(prepared.images, name), join(images, name), {recursive: true});
    else symlinkSync(join(prepared.images, name), join(images, name));
  }
  const python = readCatalog(prepared.images).images.find(({references}) =>
    references.join().includes('python'),
  );
  if (!python) throw new Error('the image for python is not prepared');
  mkdirSync(imageFolder(images, digest));
  symlinkSync(rootfsOf(python), rootfsPath(images, digest));
  const record = JSON.parse(readFileSync(recordPath(prepared.images, python.digest), 'utf8'));
  writeFileSync(recordPath(images, digest), JSON.stringify({...record, digest, config}));
  return made;
});

const show =
  'id -un; id -Gn; pwd; echo "$FROM_IMAGE|$SHARED|[$EMPTY]|$HOME|$PATH"; touch mine && stat -c %U mine';

describe('an image', () => {
  it('says who runs a command, where, and with which variables; those of the VM and the command win', async () => {
    const args = ['--image', digest, '--language', 'python', '--env', 'SHARED=own'];
    const result = await agent(['vm', 'temp', ...args, '--cmd', show], {state});
    expect(guestStderr(result)).toBe('');
    expect(result.stdout.toString().split('\n')).toEqual([
      'daemon',
      'daemon',
      '/var/tmp',
      'yes|own|[]|/usr/sbin|/usr/local/bin:/usr/bin:/bin',
      'daemon',
      '',
    ]);
    expect(result.events[0]).toMatchObject({image_digest: digest});
  });

  it('gives its user the files in /in, and room in /out and /persist', async () => {
    const created = await agent(['vm', 'create', '--image', digest, '--persist'], {state});
    const id = String(jsonLines(created.stdout.toString())[0]?.id);
    expect(id).toMatch(/^vm-/);
    const command =
      'stat -c %U /in/package.json; echo out > /out/mine; echo kept > /persist/mine; cat /persist/mine';
    const args = ['--vm', id, '--file', 'package.json', '--cmd', command];
    const result = await agent(['vm', 'exec', ...args], {state});
    expect(guestStderr(result)).toBe('');
    expect(result.stdout.toString()).toBe('daemon\nkept\n');
    expect(readFileSync(join(state.path, 'vms', id, 'out', 'mine'), 'utf8')).toBe('out\n');
    await agent(['vm', 'clean', '--vm', id], {state});
  });

  it('without a language runs commands, and refuses source before there is a VM', async () => {
    const args = ['vm', 'temp', '--image', digest];
    const [command, source] = await Promise.all([
      agent([...args, '--cmd', "print('Hello')"], {state}),
      agent([...args, '--code', "print('Hello')"], {state}),
    ]);
    expect([command.code, source.code]).toEqual([2, 2]);
    expect(command.events[0]).toMatchObject({message: 'temporary vm created', language: null});
    expect(guestStderr(command)).toMatch(/syntax error/i);
    expect(source.events).toMatchObject([{code: 'USAGE'}]);
  });
});
