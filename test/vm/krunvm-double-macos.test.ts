import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {
  asRoot,
  IMAGE,
  inNamespace,
  makeShellGuest,
  mountsBelow,
  type ShellGuest,
} from '../krunvm-double/shell-guest.js';

let vm: ShellGuest;
beforeAll(async () => {
  vm = await makeShellGuest({driver: 'vfs'});
  write(
    join(vm.folder, 'home', 'Library', 'Preferences', 'rs.krunvm', 'krunvm.toml'),
    'version = 1\ndefault_cpus = 2\ndefault_mem = 1024\ndefault_dns = "1.1.1.1"\n' +
      `storage_volume = "${vm.folder}"\n[vmconfig_map]\n`,
  );
  const settings = join(vm.folder, 'prefix', 'etc', 'containers');
  write(join(settings, 'policy.json'), '{"default": [{"type": "insecureAcceptAnything"}]}');
  write(join(settings, 'registries.conf'), '');
  writeFileSync(join(vm.folder, 'volume', 'given'), 'by the host');
  const created = await onMac(['create', '--name=mac', '-v', `${vm.folder}/volume:/in`, '--mem=256', IMAGE]);
  expect(created.stderr + created.stdout).toContain('microVM created with name: mac\n');
});
afterAll(() => vm?.remove());

const write = (path: string, content: string): void => {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, content);
};

const onMac = (args: readonly string[], through: readonly string[] = inNamespace) =>
  vm.krunvm(args, {
    env: {HOME: join(vm.folder, 'home'), BUILDAH_ISOLATION: 'chroot'},
    faults: {macos: join(vm.folder, 'prefix')},
    through,
  });

describe('krunvm on macOS', () => {
  it('mounts volumes in the guest only', async () => {
    const {code, stdout, stderr} = await onMac(
      ['start', 'mac', '/bin/sh', '--', '-c', 'cat /in/given; echo x > /in/taken; cat /.krunvm-mount.sh'],
      asRoot,
    );
    expect({code, stdout: String(stdout), stderr}).toEqual({
      code: 0,
      stdout: 'by the host#!/bin/sh\nset -e\nmount -t virtiofs krunvm0 /in\nexec "$@"\n',
      stderr: '',
    });
    expect(readFileSync(join(vm.folder, 'volume', 'taken'), 'utf8')).toBe('x\n');
    expect(mountsBelow(vm.folder)).toEqual([]);
  });

  it('cannot mount volumes in an image without a shell', async () => {
    const root = await mountedRoot();
    rmSync(join(root, 'bin', 'sh'));
    const {code, stdout} = await onMac(['start', 'mac', '/bin/ls']);
    expect([code, String(stdout)]).toEqual([
      127,
      "Couldn't execute '/.krunvm-mount.sh' inside the vm: No such file or directory\n",
    ]);
  });
});

const mountedRoot = async (): Promise<string> => {
  const {stdout} = await vm.onHost('buildah mount shell-working-container-1', {through: asRoot});
  const root = String(stdout).trim();
  expect(existsSync(join(root, 'bin'))).toBe(true);
  return root;
};
