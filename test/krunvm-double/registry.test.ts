import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {stringify} from 'smol-toml';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {eventually} from '../guest-agent/eventually.js';
import {withKrunvm} from '../support/krunvm.js';
import {runKrunvm} from './run-krunvm.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'krunvm-registry-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

const envOf = (more: Record<string, string | undefined> = {}) => ({
  PATH: process.env.PATH,
  HOME: join(folder, 'home'),
  BUILDAH_ISOLATION: 'rootless',
  ...more,
});
const macPath = () => join(folder, 'home', 'Library', 'Preferences', 'rs.krunvm', 'krunvm.toml');

const defaults = `version = 1
default_cpus = 2
default_mem = 1024
default_dns = "1.1.1.1"
storage_volume = ""

[vmconfig_map]
`;
const vm = {
  name: 'vm-1',
  cpus: 1,
  mem: 256,
  container: 'some-working-container',
  workdir: '/',
  dns: '1.1.1.1',
  mapped_volumes: {'/a folder': '/in'},
  mapped_ports: {},
};
const withVm = {
  version: 1,
  default_cpus: 2,
  default_mem: 1024,
  default_dns: '1.1.1.1',
  storage_volume: '',
  vmconfig_map: {'vm-1': vm},
};

const write = (path: string, content: string): void => {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, content);
};

describe('the registry file', () => {
  it.each([
    ['XDG_CONFIG_HOME', () => ({XDG_CONFIG_HOME: join(folder, 'xdg')}), 'xdg/krunvm/krunvm.toml'],
    ['HOME', () => ({}), 'home/.config/krunvm/krunvm.toml'],
    [
      'HOME, where XDG_CONFIG_HOME is relative',
      () => ({XDG_CONFIG_HOME: 'xdg'}),
      'home/.config/krunvm/krunvm.toml',
    ],
    ['no KRUNVM_DATA_DIR', () => ({KRUNVM_DATA_DIR: folder}), 'home/.config/krunvm/krunvm.toml'],
  ])('lies where %s says, and is made by any subcommand', (_, more, path) => {
    expect(runKrunvm(['--version'], {env: envOf(more())}).status).toBe(0);
    expect(readFileSync(join(folder, path), 'utf8')).toBe(defaults);
  });

  it('lies in the preferences on macOS, whatever XDG_CONFIG_HOME says', () => {
    runKrunvm(['--version'], {env: envOf({XDG_CONFIG_HOME: join(folder, 'xdg')}), faults: {macos: true}});
    expect(readFileSync(macPath(), 'utf8')).toBe(defaults);
    expect(existsSync(join(folder, 'xdg'))).toBe(false);
  });

  it('may be prepared by others', () => {
    write(join(folder, 'xdg', 'krunvm', 'krunvm.toml'), stringify(withVm));
    const {status, stdout} = runKrunvm(['list'], {env: envOf({XDG_CONFIG_HOME: join(folder, 'xdg')})});
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '',
      'vm-1',
      ' CPUs: 1',
      ' RAM (MiB): 256',
      ' DNS server: 1.1.1.1',
      ' Buildah container: some-working-container',
      ' Workdir: /',
      ' Mapped volumes: {"/a folder": "/in"}',
      ' Mapped ports: {}',
      '',
      '',
    ]);
  });

  it('holds no VM at first', () => {
    expect(runKrunvm(['list'], {env: envOf()}).stdout).toBe('No microVMs found\n');
  });

  it.each([
    ['empty', ''],
    ['no TOML', 'version is 1'],
    ['cut', defaults.slice(0, 40)],
    ['without storage_volume', defaults.replace(/storage_volume.*\n/, '')],
    ['without a VM’s container', stringify({...withVm, vmconfig_map: {x: {...vm, container: undefined}}})],
  ])('ends every subcommand where it is %s', (_, content) => {
    write(join(folder, 'home', '.config', 'krunvm', 'krunvm.toml'), content);
    for (const args of [['--version'], ['delete', 'x']]) {
      const {status, stdout, stderr} = runKrunvm(args, {env: envOf()});
      expect({status, stdout}).toEqual({status: 101, stdout: ''});
      expect(stderr).toMatch(/^thread 'main' panicked at.*\n.*BadTomlData/);
    }
  });

  it('is rewritten from what was read at the start: of two writers one loses', async () => {
    const env = envOf();
    const path = join(folder, 'home', '.config', 'krunvm', 'krunvm.toml');
    const slow = spawn('krunvm', ['config', '--cpus=4'], {
      env: withKrunvm(env, {slow: 1200}),
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => slow.once('exit', resolve));
    // Made when it is first looked for: the slow one has read it then.
    await eventually(() => existsSync(path) && readFileSync(path, 'utf8')).toBe(defaults);
    expect(runKrunvm(['config', '--mem=512'], {env}).status).toBe(0);
    expect(await ended).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(defaults.replace('default_cpus = 2', 'default_cpus = 4'));
  });
});

describe('changevm', () => {
  const path = () => join(folder, 'home', '.config', 'krunvm', 'krunvm.toml');
  beforeEach(() => write(path(), stringify(withVm)));
  const change = (...args: string[]) => runKrunvm(['changevm', 'vm-1', ...args], {env: envOf()});

  it('replaces all volumes, and prints the VM', () => {
    const {status, stdout} = change('-v', `${folder}:/out`, '--port', '8080:80', '-w', '/tmp');
    expect(status).toBe(0);
    expect(stdout).toContain(`\nvm-1\n CPUs: 1\n`);
    expect(stdout).toContain(` Mapped volumes: {"${folder}": "/out"}\n Mapped ports: {"8080": "80"}\n`);
    expect(readFileSync(path(), 'utf8')).not.toContain('/a folder');
  });

  it('says that a value is too large with exit code 0, and changes nothing', () => {
    const {status, stdout} = change('--mem=16385');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Error: the maximum amount of RAM supported is 16384 MiB\n/);
    expect(readFileSync(path(), 'utf8')).toContain('\nmem = 256\n');
  });

  it('renames', () => {
    expect(change('--new-name', 'vm-2', '--remove-volumes').status).toBe(0);
    const text = readFileSync(path(), 'utf8');
    expect(text).toContain('[vmconfig_map.vm-2]\nname = "vm-2"\n');
    expect(text).not.toContain('vm-1');
    expect(text).toMatch(/\[vmconfig_map\.vm-2\.mapped_volumes\]\n\n/);
  });
});

describe('on macOS', () => {
  const onMac = (args: readonly string[], input = '') =>
    runKrunvm(args, {env: envOf(), faults: {macos: true}, input});

  it('every subcommand goes on with a volume that is configured', () => {
    write(macPath(), defaults.replace('storage_volume = ""', `storage_volume = "${folder}"`));
    expect(onMac(['list'])).toEqual({status: 0, stdout: 'No microVMs found\n', stderr: ''});
  });

  it('asks for a volume, and ends when it has one', () => {
    const {status, stdout} = onMac(['list'], `/no/such/volume\n${folder}\n`);
    expect(status).toBe(255);
    expect(stdout.match(/Please enter the mountpoint for this volume \[\/Volumes\/krunvm\]: /g)).toHaveLength(
      2,
    );
    expect(stdout).toContain('error.\nThere was an error running the test: ');
    expect(stdout).toMatch(/success\.\nThe volume has been configured\. Please execute krunvm again\n$/);
    expect(readFileSync(macPath(), 'utf8')).toContain(`storage_volume = "${folder}"`);
  });

  it('asks for ever at the end of input', async () => {
    const env = withKrunvm(envOf(), {macos: true});
    const child = spawn('krunvm', ['list'], {env, stdio: ['ignore', 'pipe', 'inherit']});
    let questions = 0;
    for await (const chunk of child.stdout) {
      questions += String(chunk).split('Please enter the mountpoint').length - 1;
      if (questions > 50) child.kill('SIGKILL');
    }
    expect(questions).toBeGreaterThan(50);
    expect(child.signalCode ?? 'SIGKILL').toBe('SIGKILL');
  });
});
