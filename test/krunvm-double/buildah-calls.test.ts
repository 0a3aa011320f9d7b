/** What krunvm tells buildah, which is the fast double of it here. */
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type KrunvmFaults, readBuildahCalls, withBuildahDouble} from '../support/krunvm.js';
import {runKrunvm} from './run-krunvm.js';

let folder = '';
let log = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'krunvm-calls-'));
  log = join(folder, 'log');
  mkdirSync(join(folder, 'storage', 'images', 'f'.repeat(64), 'rootfs'), {recursive: true});
  const about = {id: 'f'.repeat(64), names: ['localhost/some:1'], created: '', config: {Env: ['A=1']}};
  writeFileSync(join(folder, 'storage', 'images', 'f'.repeat(64), 'about.json'), JSON.stringify(about));
  writeFileSync(
    join(folder, 'storage.conf'),
    `graphroot = "${folder}/storage"\nrootless_storage_path = "${folder}/storage"\n`,
  );
});
afterEach(() => rmSync(folder, {recursive: true, force: true}));

const krunvm = (args: readonly string[], faults: KrunvmFaults = {}) => {
  const env = {
    ...process.env,
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    BUILDAH_ISOLATION: 'rootless',
  };
  const {status, stdout, stderr} = runKrunvm(args, {env: withBuildahDouble(env, {log}), faults});
  return {status, stdout, stderr};
};

describe('on Linux', () => {
  it('creates: from, mount, inspect, umount', () => {
    expect(krunvm(['create', '--name', 'vm', '--dns=9.9.9.9', 'localhost/some:1'])).toEqual({
      status: 0,
      stdout: 'microVM created with name: vm\n',
      stderr: '',
    });
    expect(readBuildahCalls(log)).toEqual([
      ['from', 'localhost/some:1'],
      ['mount', 'some-working-container'],
      ['inspect', 'localhost/some:1'],
      ['umount', 'some-working-container'],
    ]);
    const rootfs = join(folder, 'storage', 'containers', 'some-working-container', 'rootfs');
    expect(JSON.parse(readFileSync(join(rootfs, '.krun_config.json'), 'utf8'))).toMatchObject({
      OCIv1: {config: {Env: ['A=1']}},
    });
    expect(readFileSync(join(rootfs, 'etc', 'resolv.conf'), 'utf8')).toBe(
      'options use-vc\nnameserver 9.9.9.9\n',
    );
  });

  it('inspects and deletes', () => {
    krunvm(['create', 'localhost/some:1']);
    rmSync(log);
    const name = 'some-working-container';
    const {status, stdout} = krunvm(['inspect', name]);
    expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({Container: name})]);
    expect(krunvm(['delete', name])).toEqual({status: 0, stdout: '', stderr: ''});
    expect(readBuildahCalls(log)).toEqual([
      ['inspect', name],
      ['umount', name],
      ['rm', name],
    ]);
    expect(readdirSync(join(folder, 'storage', 'containers'))).toEqual([]);
    expect(krunvm(['list']).stdout).toBe('No microVMs found\n');
  });

  it('inspects with exit code 0 what buildah does not know', () => {
    krunvm(['create', '--name', 'vm', 'localhost/some:1']);
    rmSync(join(folder, 'storage', 'containers'), {recursive: true});
    expect(krunvm(['inspect', 'vm'])).toMatchObject({status: 0, stdout: '\n'});
    const {status, stdout, stderr} = krunvm(['delete', 'vm']);
    expect([status, stdout]).toEqual([255, 'buildah returned an error: \n']);
    expect(stderr).toContain('container not known');
    expect(krunvm(['list']).stdout).toContain('vm');
  });
});

describe('on macOS', () => {
  it('names the storage in the volume, and its own settings', () => {
    const path = join(folder, 'Library', 'Preferences', 'rs.krunvm', 'krunvm.toml');
    mkdirSync(dirname(path), {recursive: true});
    const settings = `version = 1\ndefault_cpus = 2\ndefault_mem = 1024\ndefault_dns = "1.1.1.1"\n`;
    writeFileSync(path, `${settings}storage_volume = "${folder}/volume"\n[vmconfig_map]\n`);
    const storage = ['--root', `${folder}/volume/root`, '--runroot', `${folder}/volume/runroot`];
    mkdirSync(join(folder, 'volume'));
    krunvm(['create', '--name', 'none', 'localhost/some:1'], {macos: '/opt/homebrew'});
    expect(readBuildahCalls(log)).toEqual([
      [
        ...storage,
        ...['--signature-policy', '/opt/homebrew/etc/containers/policy.json'],
        ...['--registries-conf', '/opt/homebrew/etc/containers/registries.conf'],
        ...['from', '--os', 'linux', 'localhost/some:1'],
      ],
    ]);
    rmSync(log);
    expect(krunvm(['create', '--name', 'vm', 'scratch'], {macos: true}).status).toBe(255);
    expect(readBuildahCalls(log).map((call) => call.slice(0, 5))).toEqual([
      [...storage, '--signature-policy'],
      [...storage, 'mount'],
      [...storage, 'inspect'],
    ]);
  });
});
