import {describe, expect, it} from 'vitest';
import {rootPrefix} from '../../../src/containers/host-root.js';
import {
  containerOf,
  createArguments,
  deleteArguments,
  isVmmOf,
  type Krunvm,
  startCommand,
  vmImage,
} from '../../../src/launcher/krunvm/commands.js';
import {krunvmEnvironment, registryPath} from '../../../src/launcher/krunvm/environment.js';

const id = 'python-1f3k9x2m';
const platforms: Readonly<Record<string, Krunvm>> = {
  'Linux as root': {platform: 'linux', isRoot: true, program: '/usr/bin/krunvm', volume: null},
  'Linux as a user': {platform: 'linux', isRoot: false, program: '/usr/bin/krunvm', volume: null},
  macOS: {platform: 'darwin', isRoot: false, program: '/opt/homebrew/bin/krunvm', volume: '/Volumes/krunvm'},
};

/** One line a command; the script that prepares the root folder is shown once. */
const show = (words: readonly string[]): string =>
  words.map((word) => (word.includes('\n') ? '<prepare root>' : word)).join(' ');

const commandsOf = (krunvm: Krunvm): Record<string, string> => {
  const before = krunvm.platform === 'darwin' ? [] : rootPrefix(krunvm.isRoot);
  const folders = [{host: '/state/persist/x/shared', guest: '/persist'}];
  const create = createArguments({id, cpus: 2, memoryMib: 512, folders, image: vmImage(id)});
  const start = {id, container: containerOf(id), guestAgent: '/pkg/agent-x86_64'};
  return {
    version: show([...before, krunvm.program, '--version']),
    create: show([...before, krunvm.program, ...create]),
    'start, network none': show(startCommand(krunvm, {...start, network: 'none'})),
    'start, network allow_all': show(startCommand(krunvm, {...start, network: 'allow_all'})),
    delete: show([...before, krunvm.program, ...deleteArguments(id)]),
  };
};

describe('what is run', () => {
  it.each(Object.entries(platforms))('on %s', (_name, krunvm) => {
    expect(commandsOf(krunvm)).toMatchSnapshot();
  });

  it('removes what a guest may have left where krunvm writes, before anything is started', () => {
    const [script] = startCommand(platforms['Linux as root'] as Krunvm, {
      id,
      container: containerOf(id),
      guestAgent: '/pkg/agent-x86_64',
      network: 'none',
    }).filter((word) => word.includes('\n'));
    expect(script).toMatchSnapshot();
  });
});

describe('the environment', () => {
  const containers = {
    PATH: '/usr/bin',
    HOME: '/home/me',
    XDG_CONFIG_HOME: '/home/me/.config',
    XDG_RUNTIME_DIR: '/run/user/1000',
    CONTAINERS_STORAGE_CONF: '/state/containers/storage.conf',
    CONTAINERS_POLICY: '/etc/mine.json',
    KRUNVM_DATA_DIR: '/state/krunvm',
    LD_LIBRARY_PATH: '/opt/libkrun/lib64',
    DYLD_LIBRARY_PATH: '/opt/homebrew/lib',
    AWS_SECRET_ACCESS_KEY: 'secret',
    GITHUB_TOKEN: 'secret',
    NODE_OPTIONS: '--inspect',
    LC_ALL: 'C.UTF-8',
  };

  it.each(['linux', 'darwin'] as const)('on %s', (platform) => {
    const env = krunvmEnvironment({platform, containers, registryFolder: '/state/krunvm/x'});
    expect(env).toMatchSnapshot();
    expect(JSON.stringify(env)).not.toContain('secret');
  });

  it('leads krunvm to a file of the VM’s own', () => {
    expect(registryPath('linux', '/r')).toBe('/r/krunvm/krunvm.toml');
    expect(registryPath('darwin', '/r')).toBe('/r/Library/Preferences/rs.krunvm/krunvm.toml');
  });
});

describe('isVmmOf', () => {
  it.each(Object.entries(platforms))('knows its VMM, and all that starts it, on %s', (_name, krunvm) => {
    const command = startCommand(krunvm, {
      id,
      container: containerOf(id),
      guestAgent: '/pkg/agent-x86_64',
      network: 'none',
    });
    expect(isVmmOf(id)(command)).toBe(true);
    expect(isVmmOf(id)([krunvm.program, 'start', id, '/.agent'])).toBe(true);
  });

  it.each([
    [['krunvm', 'start', id]],
    [['/usr/bin/krunvm', 'start', '--env', 'A=b', id, '/bin/sh', '--', '-c', 'true']],
  ])('knows one that was started by hand: %j', (argv) => {
    expect(isVmmOf(id)(argv)).toBe(true);
  });

  it.each([
    [['krunvm', 'start', 'python-1f3k9x2', '/.agent']],
    [['krunvm', 'delete', id]],
    [['agent', 'vm', 'exec', '--vm', id, '--cmd', 'start']],
    [['grep', id]],
    [[]],
  ])('does not take %j for it', (argv) => {
    expect(isVmmOf(id)(argv)).toBe(false);
  });
});
