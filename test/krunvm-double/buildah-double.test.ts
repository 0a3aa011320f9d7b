import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type BuildahFaults, halfPull, readBuildahCalls, withBuildahDouble} from '../support/krunvm.js';
import {asRoot} from './shell-guest.js';

const folder = mkdtempSync(join(tmpdir(), 'buildah-double-'));
const storages = {double: join(folder, 'double'), real: join(folder, 'real')};
const log = join(folder, 'log');

const envOf = (which: keyof typeof storages, faults: BuildahFaults = {}) => {
  const env = {...process.env, CONTAINERS_STORAGE_CONF: join(folder, `${which}.conf`)};
  return which === 'real' ? env : withBuildahDouble(env, {log, faults});
};

/** A script of buildah's, with its exit code as the last line. */
const run = (which: keyof typeof storages, script: string, faults: BuildahFaults = {}) => {
  const command = ['sh', '-c', `${script}; echo "= $?"`];
  const [file = '', ...args] = which === 'real' ? [...asRoot, ...command] : command;
  const {stdout, stderr} = spawnSync(file, args, {env: envOf(which, faults), cwd: folder, encoding: 'utf8'});
  return {lines: stdout.trimEnd().split('\n'), stderr};
};

beforeAll(() => {
  for (const [which, path] of Object.entries(storages)) {
    const conf = `[storage]\ndriver = "vfs"\ngraphroot = "${path}"\nrootless_storage_path = "${path}"\nrunroot = "${path}-run"\n`;
    writeFileSync(join(folder, `${which}.conf`), conf);
  }
  writeFileSync(join(folder, 'file'), 'content');
});
afterAll(() => {
  run('real', `buildah rm --all; buildah rmi --all; rm -rf ${folder}`);
  rmSync(folder, {recursive: true, force: true});
});

const id = expect.stringMatching(/^[0-9a-f]{64}$/);

describe.each(['double', 'real'] as const)('buildah, the %s one', (which) => {
  const buildah = (script: string) => run(which, script);

  it('makes an image of a container', () => {
    const {lines, stderr} = buildah(`set -e
      buildah from --name made scratch
      root=$(buildah mount made); [ -d "$root" ] && echo mounted
      chmod 755 "$root"; echo x >"$root/own"
      buildah umount made; buildah umount made
      buildah copy --quiet --chmod 755 made file /given >/dev/null
      buildah config --env A=1 --env PATH=/bin --workingdir /w --user u made
      buildah commit --quiet --rm made localhost/some:1
      buildah from --name copy localhost/some:1
      root=$(buildah mount copy); cat "$root/own" "$root/given"; stat -c ' %a' "$root/given"
      buildah umount copy >/dev/null; buildah rm copy`);
    expect({lines, stderr}).toEqual({
      lines: ['made', 'mounted', id, id, 'copy', 'x', 'content 755', id, '= 0'],
      stderr: '',
    });
  });

  it('describes it', () => {
    const {lines} = buildah('buildah inspect --type=image localhost/some:1');
    const document = JSON.parse(lines.slice(0, -1).join('\n'));
    expect(document).toMatchObject({
      Type: 'buildah 0.0.1',
      FromImage: 'localhost/some:1',
      FromImageID: id,
      FromImageDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      Container: '',
      OCIv1: {os: 'linux', config: {Env: ['A=1', 'PATH=/bin'], WorkingDir: '/w', User: 'u'}},
    });
    const asked = buildah("buildah inspect --type=image --format='{{.FromImageID}}' localhost/some:1; echo");
    expect(asked.lines[0]).toBe(document.FromImageID);
  });

  it('names containers after their image, with a number where that is taken', () => {
    const {lines} = buildah(
      'for n in 1 2; do buildah from localhost/some:1; done; buildah rm --all >/dev/null; buildah containers --json',
    );
    expect(lines).toEqual(['some-working-container', 'some-working-container-1', 'null', '= 0']);
  });

  it('lists images with their names, of which each belongs to one', () => {
    const {lines} = buildah(`set -e
      buildah tag localhost/some:1 localhost/other:2 localhost/third
      buildah images --noheading --format='{{.Name}}:{{.Tag}}' | sort
      buildah rmi localhost/other:2
      buildah from --name empty scratch >/dev/null; buildah commit --quiet --rm empty localhost/third >/dev/null
      buildah images --json --no-trunc`);
    expect(lines.slice(0, 4)).toEqual([
      'localhost/other:2',
      'localhost/some:1',
      'localhost/third:latest',
      'untagged: localhost/other:2',
    ]);
    const images = JSON.parse(lines.slice(4, -1).join('\n'));
    const named = images.map(({names}: {names: string[]}) => names).sort();
    expect(named).toEqual([['localhost/some:1'], ['localhost/third:latest']]);
    expect(images[0].id).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('keeps an image that a container uses, unless it is forced', () => {
    const {lines, stderr} = buildah(`buildah from --name user localhost/some:1 >/dev/null
      buildah rmi localhost/some:1; echo $?
      buildah rmi --force localhost/some:1; buildah containers --json`);
    expect(lines).toEqual(['125', 'untagged: localhost/some:1', id, 'null', '= 0']);
    expect(stderr).toMatch(/image used by [0-9a-f]{64}: image is in use by a container/);
  });

  it.each([
    ['rm nope', /^Error: removing container "nope": container not known/],
    ['rmi nope', /^Error: 1 error occurred:\n\t\* nope: image not known/],
    ['mount nope', /^Error: reading build container "nope": container not known/],
    ['inspect nope', /^Error: importing settings: nope: image not known/],
    ['inspect --type=container nope', /^Error: reading build container.*container not known/],
    ['tag nope x', /^Error: nope: image not known/],
    ['commit nope x', /^Error: reading build container "nope": container not known/],
    ['nope', /^Error: unknown command "nope" for "buildah"/],
    [
      'from --name twice scratch >/dev/null; buildah from --name twice scratch',
      /name "twice" is already in use by/,
    ],
  ])('fails at %s', (args, words) => {
    const {lines, stderr} = buildah(`buildah ${args}`);
    expect(lines).toEqual(['= 125']);
    expect(stderr).toMatch(words);
  });
});

describe('the double of buildah', () => {
  it('fails, hangs and calls itself what it is asked to', () => {
    expect(run('double', 'buildah --version', {version: '1.19.0'}).lines[0]).toMatch(
      /^buildah version 1\.19\.0 /,
    );
    const {lines, stderr} = run('double', 'buildah images', {fail: 'images'});
    expect([lines, stderr]).toEqual([['= 125'], 'Error: images was told to fail\n']);
    expect(run('double', 'timeout 1 buildah mount', {hang: 'mount'}).lines).toEqual(['= 124']);
  });

  it('notes its calls', () => {
    rmSync(log, {force: true});
    run('double', "buildah --root=/r images --json; buildah from 'a b'");
    expect(readBuildahCalls(log)).toEqual([
      ['--root=/r', 'images', '--json'],
      ['from', 'a b'],
    ]);
  });

  it('cannot use an image that was pulled half, until it was removed', () => {
    run('double', 'buildah from --name x scratch; buildah commit --rm x localhost/half:1');
    halfPull(storages.double);
    const {lines, stderr} = run('double', 'buildah from localhost/half:1');
    expect(lines).toEqual(['= 125']);
    expect(stderr).toMatch(/layer not known/);
    expect(run('double', 'buildah rmi --force localhost/half:1 >/dev/null').lines).toEqual(['= 0']);
    const again =
      'buildah from --name x scratch; buildah commit --rm x localhost/half:1; buildah from localhost/half:1';
    expect(run('double', again).lines.slice(-2)).toEqual(['half-working-container', '= 0']);
  });

  it('runs commands as if in its own user namespace', () => {
    const {lines} = run('double', "buildah unshare -- sh -c 'echo $BUILDAH_ISOLATION; exit 7'");
    expect(lines).toEqual(['rootless', '= 7']);
  });
});
