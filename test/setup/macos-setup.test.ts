import {statSync} from 'node:fs';
import {afterEach, describe, expect, it} from 'vitest';
import {createStubMac, KRUNVM_CONFIG, type StubMacOptions} from './stub-mac.js';

let mac: ReturnType<typeof createStubMac> | undefined;
const stub = (options: StubMacOptions = {}) => {
  mac = createStubMac(options);
  return mac;
};
afterEach(() => mac?.remove());

const sensitive = {filesystem: 'Case-sensitive APFS', mount: 'krunvm'};
const programs = ['krunvm', 'buildah'];
/** Everything but what lies in the home folder. */
const prepared: StubMacOptions = {installed: programs, volumes: {krunvm: sensitive}};
const installs = [
  'brew trust libkrun/krun [asks nothing]',
  'brew tap libkrun/krun [asks nothing]',
  'brew install libkrun/krun/buildah libkrun/krun/krunvm [asks nothing]',
];
const addsVolume = 'diskutil apfs addVolume disk3 Case-sensitive APFS krunvm';
const configOf = (volume: string): string =>
  `version = 1\ndefault_cpus = 2\ndefault_mem = 1024\ndefault_dns = "1.1.1.1"\nstorage_volume = "${volume}"\n\n[vmconfig_map]\n`;

// /bin/sh of macOS is bash 3.2; what dash understands too is in neither of them new.
describe.each(['sh', 'bash'] as const)('setup.sh on a new Mac, in %s', (shell) => {
  it('makes everything, and tells each step before it does it', () => {
    const here = stub();
    const {code, stdout, stderr} = here.run(shell, ['--yes']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(here.calls()).toEqual([...installs, addsVolume]);
    expect(here.read(KRUNVM_CONFIG)).toBe(configOf(`${here.volumes}/krunvm`));
    expect(here.read('agentVM/.env')).toBe(
      `export AGENT_STATE_DIR='${here.home.replace("'", "'\\''")}/agentVM'\nexport AGENT_LAUNCHER=krunvm\n`,
    );
    expect(statSync(`${here.home}/agentVM`).mode & 0o777).toBe(0o700);
    expect(stdout.match(/^(==>| {4}).*$/gm)).toEqual([
      "==> Adding Homebrew's tap libkrun/krun, where krunvm and its parts come from.",
      '    brew trust libkrun/krun',
      '    brew tap libkrun/krun',
      '==> Installing the programs with Homebrew.',
      '    brew install libkrun/krun/buildah libkrun/krun/krunvm',
      '==> Making a case-sensitive volume on disk3.',
      "    diskutil apfs addVolume disk3 'Case-sensitive APFS' krunvm",
      `==> Writing storage_volume into ${here.home}/${KRUNVM_CONFIG}.`,
      `==> Writing what is missing of policy.json and registries.conf in ${here.path('homebrew/etc/containers')}.`,
      `==> Making the state directory ${here.home}/agentVM.`,
      `==> Writing ${here.home}/agentVM/.env.`,
      expect.stringContaining('export AGENT_STATE_DIR='),
      '    export AGENT_LAUNCHER=krunvm',
    ]);
    expect(stdout).toMatch(/Next:\n {2}source ~\/agentVM\/\.env\n {2}agent doctor\n$/);
  });

  it('changes nothing the second time, and has nothing to ask', () => {
    const here = stub();
    here.run(shell, ['--yes']);
    const calls = here.calls();
    const second = here.run(shell, []);
    expect(second).toMatchObject({code: 0, stderr: ''});
    expect(second.stdout).toMatch(/^This Mac is ready/);
    expect(here.calls()).toEqual(calls);
    expect(here.run(shell, ['--check'])).toEqual({code: 0, stdout: '', stderr: ''});
  });

  it('goes on where a first run ended halfway', () => {
    const first = {...prepared, volumes: {krunvm: {...sensitive, mount: null}}};
    const here = stub({
      ...first,
      home: {'agentVM/.env': 'export AGENT_STATE_DIR=/Users/jo/x', [KRUNVM_CONFIG]: ''},
    });
    expect(here.run(shell, ['--yes'])).toMatchObject({code: 0, stderr: ''});
    expect(here.calls()).toEqual(['diskutil mount disk9-krunvm']);
    expect(here.read('agentVM/.env')).toBe(
      'export AGENT_STATE_DIR=/Users/jo/x\nexport AGENT_LAUNCHER=krunvm\n',
    );
    expect(here.read(KRUNVM_CONFIG)).toBe(configOf(`${here.volumes}/krunvm`));
  });

  it('only tells what is missing with --check, in the form of the Linux script', () => {
    const here = stub({installed: ['buildah'], volumes: {krunvm: sensitive}});
    const {code, stdout, stderr} = here.run(shell, ['--check', '--build']);
    expect({code, stderr}).toEqual({code: 1, stderr: ''});
    expect(stdout.split('\n').map((line) => line.slice(0, 23))).toEqual([
      'missing:',
      '  krunvm               ',
      '  zig                  ',
      '  tmux                 ',
      '  krunvm-settings      ',
      '  state                ',
      '  environment          ',
      '',
    ]);
    expect(here.calls()).toEqual([]);
    expect(here.has('agentVM')).toBe(false);
  });

  it('changes nothing without --yes where nobody can be asked', () => {
    const here = stub();
    const {code, stderr} = here.run(shell, []);
    expect(code).toBe(1);
    expect(stderr).toContain('run this again with --yes');
    expect(here.calls()).toEqual([]);
    expect(here.has('agentVM')).toBe(false);
  });
});

describe('setup.sh on a Mac that cannot', () => {
  const cannot: readonly [string, StubMacOptions, string[]][] = [
    ['has an Intel processor', {machine: 'x86_64'}, ['Apple silicon', 'Linux']],
    [
      'runs the terminal under Rosetta',
      {machine: 'x86_64', translated: true},
      ['Rosetta', 'arch -arm64 zsh'],
    ],
    ['has an old macOS', {version: '13.7.1'}, ['macOS 14', '13.7.1']],
    ['runs it as root', {uid: 0}, ['without sudo']],
    ['has no Homebrew', {brew: 'none'}, ['https://brew.sh', 'run this again']],
    ["has Intel's Homebrew", {brew: 'intel'}, ['/usr/local', 'https://brew.sh']],
    ['has no room', {freeBytes: 4_999_999_999}, ['4999999999 bytes are free']],
    [
      'has a volume of that name that is not case-sensitive',
      {volumes: {krunvm: {filesystem: 'APFS', mount: 'krunvm'}}},
      ['(APFS)', '--volume NAME'],
    ],
  ];
  for (const [what, options, said] of cannot) {
    it(`says so where it ${what}, and changes nothing`, () => {
      const here = stub(options);
      const {code, stderr} = here.run('sh', ['--yes']);
      expect(code).toBe(1);
      for (const words of said) expect(stderr).toContain(words);
      expect(here.calls()).toEqual([]);
      expect(here.has('agentVM')).toBe(false);
      expect(here.has('Library')).toBe(false);
    });
  }

  it('shows what Homebrew says, and the command by hand', () => {
    const here = stub({brewFails: 'install'});
    const {code, stderr} = here.run('sh', ['--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain('Error: no bottle available!');
    expect(stderr).toContain('by hand: brew install libkrun/krun/buildah libkrun/krun/krunvm');
    expect(here.has('agentVM')).toBe(false);
  });

  it('ends where macOS refuses the volume, and is done when it is allowed', () => {
    const {code, stderr} = stub({installed: programs, addVolumeFails: true}).run('sh', ['--yes']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot add any more APFS Volumes\nerror: macOS could not make the volume/);
  });

  it('says before it begins that Homebrew compiles on an older macOS', () => {
    expect(stub({version: '14.6'}).run('sh', ['--yes']).stdout).toContain('compiles some of them');
  });
});

describe('setup.sh at a terminal', () => {
  it('changes nothing where the user says no', () => {
    const here = stub();
    const {code, stdout} = here.runAtTerminal('n\n');
    expect(code).toBe(1);
    expect(stdout).toContain('stopped: nothing was changed');
    expect(here.calls()).toEqual([]);
    expect(here.has('agentVM')).toBe(false);
  });

  it('goes on at a mere Return', () => {
    const here = stub();
    expect(here.runAtTerminal('\n').code).toBe(0);
    expect(here.calls()).toEqual([...installs, addsVolume]);
  });
});

describe('setup.sh and what is there already', () => {
  it('keeps every VM that krunvm knows', () => {
    const vm = '[vmconfig_map.mine]\nname = "mine"\ncpus = 2\nmem = 1024\n';
    const before = `version = 1\ndefault_cpus = 4\nstorage_volume = ""\n\n${vm}`;
    const here = stub({...prepared, home: {[KRUNVM_CONFIG]: before}});
    expect(here.run('sh', ['--yes']).code).toBe(0);
    expect(here.read(KRUNVM_CONFIG)).toBe(before.replace('""', `"${here.volumes}/krunvm"`));
  });

  it('takes the volume that krunvm is set to already', () => {
    const here = stub({installed: programs, volumes: {mine: {...sensitive, mount: 'mine'}}});
    const before = `storage_volume = "${here.volumes}/mine"\n[vmconfig_map]\n`;
    here.write(KRUNVM_CONFIG, before);
    expect(here.run('sh', ['--yes'])).toMatchObject({code: 0, stderr: ''});
    expect(here.calls()).toEqual([]);
    expect(here.read(KRUNVM_CONFIG)).toBe(before);
    expect(here.run('sh', ['--yes', '--volume', 'other'])).toMatchObject({code: 1});
  });

  it('takes the volume where macOS has mounted it', () => {
    const here = stub({installed: programs, volumes: {krunvm: {...sensitive, mount: 'krunvm 1'}}});
    expect(here.run('sh', ['--yes', '--volume', 'krunvm']).code).toBe(0);
    expect(here.read(KRUNVM_CONFIG)).toContain(`storage_volume = "${here.volumes}/krunvm 1"`);
    expect(here.run('sh', ['--check', '--volume', 'krunvm']).code).toBe(0);
  });

  it('does not replace a volume that is set and gone by a new one', () => {
    const here = stub({
      ...prepared,
      home: {[KRUNVM_CONFIG]: 'storage_volume = "/Volumes/gone"\n[vmconfig_map]\n'},
    });
    const {code, stderr} = here.run('sh', ['--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain('there is no such volume');
    expect(here.calls()).toEqual([]);
  });

  it('takes another name for the volume where one is given', () => {
    const here = stub({installed: programs, volumes: {krunvm: {filesystem: 'APFS', mount: 'krunvm'}}});
    expect(here.run('sh', ['--yes', '--volume', 'agent']).code).toBe(0);
    expect(here.calls()).toEqual(['diskutil apfs addVolume disk3 Case-sensitive APFS agent']);
    expect(here.read(KRUNVM_CONFIG)).toContain(`storage_volume = "${here.volumes}/agent"`);
    expect(here.run('sh', ['--check', '--volume', 'agent']).code).toBe(0);
  });

  it("keeps a user's own lines of .env, and adds only what is missing", () => {
    const own = '# mine\nexport AGENT_LAUNCHER=auto\nexport HTTPS_PROXY=http://proxy:3128\n';
    const here = stub({...prepared, home: {'agentVM/.env': own}});
    expect(here.run('sh', ['--yes']).code).toBe(0);
    expect(here.read('agentVM/.env')).toMatch(/^# mine\n(.*\n){2}export AGENT_STATE_DIR='.*'\n$/);
    expect(here.read('agentVM/.env').startsWith(own)).toBe(true);
  });

  it('puts the state directory where it is told', () => {
    const here = stub(prepared);
    expect(here.run('sh', ['--yes', '--state', 'elsewhere/agent state']).code).toBe(0);
    expect(statSync(here.path('elsewhere/agent state/.env')).mode & 0o777).toBe(0o600);
    expect(here.has('agentVM')).toBe(false);
    expect(here.run('sh', ['--check'], {AGENT_STATE_DIR: here.path('elsewhere/agent state')}).code).toBe(0);
  });

  it("finds Homebrew outside of PATH, and puts it into the user's", () => {
    const here = stub({brew: 'not in PATH'});
    expect(here.run('sh', ['--yes'])).toMatchObject({code: 0, stderr: ''});
    expect(here.read('agentVM/.env')).toContain(`export PATH='${here.path('homebrew/bin')}':"$PATH"\n`);
    expect(here.run('sh', ['--check'])).toMatchObject({code: 0, stdout: ''});
  });

  it('asks an old Homebrew for no trust', () => {
    const here = stub({brewTrusts: false});
    expect(here.run('sh', ['--yes']).code).toBe(0);
    expect(here.calls()).toEqual([...installs.slice(1), addsVolume]);
  });

  it('brings an old krunvm up to date', () => {
    const here = stub({...prepared, krunvmVersion: '0.2.4'});
    expect(here.run('sh', ['--check']).stdout).toContain('0.2.4 is too old, 0.2.5 is needed');
    expect(here.run('sh', ['--yes'])).toMatchObject({code: 0});
    expect(here.calls().at(-1)).toBe('brew upgrade krunvm [asks nothing]');
  });

  it('installs zig and tmux for a build from source alone', () => {
    const here = stub(prepared);
    expect(here.run('sh', ['--yes', '--build']).code).toBe(0);
    expect(here.calls()).toEqual(['brew install zig tmux [asks nothing]']);
  });

  it('refuses an unknown option as a usage error', () => {
    expect(stub().run('sh', ['--bogus'])).toMatchObject({code: 2, stdout: ''});
    expect(mac?.run('sh', ['--state'])).toMatchObject({code: 2, stdout: ''});
  });
});
