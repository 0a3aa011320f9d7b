import {spawnSync} from 'node:child_process';
import {afterEach, describe, expect, it} from 'vitest';
import {createStubMachine, everyProgram, type StubMachineOptions} from './stub-machine.js';

let machine: ReturnType<typeof createStubMachine> | undefined;
const stub = (options: StubMachineOptions) => {
  machine = createStubMachine({installed: everyProgram(), ...options});
  return machine;
};
afterEach(() => {
  machine?.remove();
  machine = undefined;
});

const user: StubMachineOptions = {uid: 1000, sudo: 'works'};
const joins = 'usermod -aG kvm tester';

describe('setup.sh without --krunvm', () => {
  const advice: readonly [string, StubMachineOptions, string | undefined][] = [
    ['is silent about KVM where there is none', user, undefined],
    ['is silent about KVM where it can be used', {...user, kvm: 'open'}, undefined],
    ['tells how to be allowed to use it', {...user, kvm: 'not for me'}, `sudo ${joins}, then log in again`],
    [
      'tells a new member of the group to log in again',
      {...user, kvm: 'not for me', groups: {account: 'tester kvm', session: 'tester'}},
      'log in again to use it',
    ],
    [
      'tells how to open what is for root only',
      {...user, kvm: 'for root only'},
      'groupadd -f kvm; chgrp kvm',
    ],
    ['names krunvm where the distribution has it', {kvm: 'open', osId: 'arch'}, 'setup.sh --krunvm'],
    ['does not name it where it would be too old', {kvm: 'open', osId: 'fedora'}, undefined],
  ];
  for (const [what, options, said] of advice) {
    it(`${what}, and changes nothing`, () => {
      const here = stub(options);
      const {code, stdout, stderr} = here.run('--yes');
      expect({code, stderr}).toEqual({code: 0, stderr: ''});
      expect(stdout.split('\n').slice(1)).toEqual(
        said === undefined ? [''] : [expect.stringContaining(said), ''],
      );
      expect(here.calls()).toEqual([]);
    });
  }

  it('asks for neither krunvm nor KVM with --check', () => {
    expect(stub({...user, kvm: 'not for me', packagesKrunvm: true}).run('--check')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});

describe('setup.sh --krunvm', () => {
  it('installs it where apt knows it', () => {
    const here = stub({kvm: 'open', packagesKrunvm: true});
    expect(here.run('--krunvm', '--check').stdout).toMatch(/^missing:\n {2}krunvm {15}runs them/);
    expect(here.run('--krunvm', '--yes').code).toBe(0);
    expect(here.calls()).toEqual([expect.stringMatching(/install --no-install-recommends krunvm /)]);
    expect(here.run('--krunvm', '--check')).toEqual({code: 0, stdout: '', stderr: ''});
  });

  for (const [osId, said] of [
    ['debian', 'the package lists of this machine know none'],
    ['fedora', 'older than 0.2.5'],
    ['void', 'no package of it is known'],
  ] as const) {
    it(`is content with QEMU on ${osId}, and says why`, () => {
      const here = stub({kvm: 'open', osId});
      const {code, stdout} = here.run('--krunvm', '--yes');
      expect(code).toBe(0);
      expect(stdout).toContain(said);
      expect(stdout).toContain('VMs run on QEMU');
      expect(here.calls()).toEqual([]);
      expect(here.run('--krunvm', '--check').code).toBe(0);
    });
  }

  for (const [osId, osLike, advice] of [
    ['arch', '', 'sudo pacman -S --needed krunvm'],
    ['opensuse-tumbleweed', 'opensuse suse', 'run: sudo zypper install krunvm'],
  ] as const) {
    it(`names the command on ${osId}`, () => {
      const {code, stderr} = stub({kvm: 'open', osId, osLike}).run('--krunvm', '--yes');
      expect(code).toBe(1);
      expect(stderr).toContain(advice);
    });
  }

  it('puts the user into the group of KVM, after saying so', () => {
    const here = stub({...user, kvm: 'not for me'});
    expect(here.run('--krunvm', '--check')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('kvm-access'),
    });
    const {code, stdout} = here.run('--krunvm', '--yes');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /this puts you into its group: usermod -aG kvm tester\n(.*\n)*.*log in again to use it/,
    );
    expect(here.calls()).toContain(joins);
  });

  it('does so not without being allowed to', () => {
    const here = stub({...user, kvm: 'not for me'});
    expect(here.run('--krunvm')).toMatchObject({code: 1, stderr: expect.stringContaining('--yes')});
    expect(here.calls()).toEqual([]);
  });

  it('says the exact command where there is no sudo', () => {
    const here = stub({...user, sudo: 'none', kvm: 'not for me'});
    expect(here.run('--krunvm', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`as root: ${joins}`),
    });
    expect(here.calls()).toEqual([]);
  });

  it('tells what a machine without KVM would need', () => {
    const {code, stdout} = stub({}).run('--krunvm', '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('QEMU emulates the processor');
    expect(stdout).toContain('modprobe');
  });
});

describe('judge_kvm', () => {
  const judge = (...args: string[]): string =>
    spawnSync('bash', ['-euc', '. scripts/linux/kvm.sh; judge_kvm "$@"', 'bash', ...args], {
      encoding: 'utf8',
      env: {...process.env, KVM: '/nowhere'},
    }).stdout.trim();

  const cases: readonly [string, readonly string[]][] = [
    ['ok', ['yes', '600', 'root', 'a', 'a']],
    ['join kvm', ['no', '660', 'kvm', 'a b', 'a b']],
    ['join virt', ['no', '660', 'virt', 'a', 'a']],
    ['login kvm', ['no', '660', 'kvm', 'a', 'a kvm']],
    ['closed', ['no', '660', 'kvm', 'a kvm', 'a kvm']],
    ['closed', ['no', '600', 'root', 'a', 'a']],
    ['closed', ['no', '660', 'root', 'a', 'a']],
    ['closed', ['no', '640', 'kvm', 'a', 'a']],
    ['closed', ['no', '0', 'kvm', 'a', 'a']],
    ['join kvm', ['no', '660', 'kvm', 'kvm2', 'kvm2']],
  ];
  for (const [verdict, args] of cases) {
    it(`says '${verdict}' to ${args.join(', ')}`, () => expect(judge(...args)).toBe(verdict));
  }
});
