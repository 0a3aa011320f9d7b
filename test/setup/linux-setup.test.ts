import {afterEach, describe, expect, it} from 'vitest';
import {createStubMachine, everyProgram, type StubMachineOptions} from './stub-machine.js';

const without = (...names: string[]): string[] => everyProgram().filter((name) => !names.includes(name));

let machine: ReturnType<typeof createStubMachine> | undefined;
const stub = (options: StubMachineOptions) => {
  machine = createStubMachine(options);
  return machine;
};
afterEach(() => machine?.remove());

describe('setup.sh with nothing missing', () => {
  it('says so and changes nothing', () => {
    const here = stub({installed: everyProgram()});
    const result = here.run('--build', '--yes');
    expect(result).toMatchObject({code: 0, stderr: ''});
    expect(result.stdout).toContain('everything is there');
    expect(here.calls()).toEqual([]);
  });

  it('is content with --check', () => {
    expect(stub({installed: everyProgram()}).run('--build', '--check')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});

describe('setup.sh with something missing', () => {
  it('only names it with --check', () => {
    const here = stub({installed: without('mkfs.erofs', 'gcc')});
    const result = here.run('--check');
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('mkfs.erofs');
    expect(result.stdout).not.toContain('gcc');
    expect(here.calls()).toEqual([]);
  });

  it('asks for the compiler with --build alone', () => {
    expect(stub({installed: without('musl-gcc')}).run('--build', '--check').code).toBe(1);
  });

  it('says what it installs before it installs exactly that', () => {
    const here = stub({installed: without('buildah', 'mkfs.ext4')});
    const {code, stdout} = here.run('--yes');
    expect(code).toBe(0);
    expect(stdout.indexOf('will be installed with apt-get: buildah e2fsprogs')).toBeGreaterThan(-1);
    expect(here.calls()).toEqual([
      'apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install --no-install-recommends buildah e2fsprogs [noninteractive]',
    ]);
  });

  it('has nothing left to do the second time', () => {
    const here = stub({installed: []});
    expect(here.run('--build', '--yes').code).toBe(0);
    const calls = here.calls();
    expect(here.run('--build', '--yes').code).toBe(0);
    expect(here.calls()).toEqual(calls);
  });

  it('updates the package lists where they are empty', () => {
    const here = stub({installed: without('zstd'), lists: 'empty'});
    expect(here.run('--yes').code).toBe(0);
    expect(here.calls().map((call) => call.split(' ').at(2))).toEqual(['update', '-y']);
  });

  it('updates the lists and tries once more when an installation fails', () => {
    const here = stub({installed: without('zstd'), failures: 1});
    expect(here.run('--yes').code).toBe(0);
    expect(here.calls()).toHaveLength(3);
  });

  it('shows the words of apt-get and the command by hand when it fails again', () => {
    const {code, stderr} = stub({installed: without('zstd'), failures: 9}).run('--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('E: no space on mirror');
    expect(stderr).toContain('by hand: apt-get install --no-install-recommends zstd');
  });

  it('updates the lists alone when asked to', () => {
    const here = stub({installed: [], lists: 'empty'});
    expect(here.run('--lists', '--yes').code).toBe(0);
    expect(here.calls()).toEqual(['apt-get -q update [noninteractive]']);
  });

  it('takes the names of the other architecture', () => {
    const here = stub({installed: without('qemu-system-x86_64'), machine: 'aarch64'});
    expect(here.run('--yes').stdout).toContain('apt-get: qemu-system-arm');
  });

  it('installs nothing without --yes where nobody can be asked', () => {
    const here = stub({installed: without('zstd')});
    const {code, stderr} = here.run();
    expect(code).toBe(1);
    expect(stderr).toContain('run this again with --yes');
    expect(here.calls()).toEqual([]);
  });
});

describe('setup.sh without root', () => {
  const user = {uid: 1000, installed: without('zstd')};

  it('uses sudo', () => {
    const here = stub({...user, sudo: 'works'});
    expect(here.run('--yes').code).toBe(0);
    expect(here.calls()[0]).toMatch(/^sudo env DEBIAN_FRONTEND=noninteractive apt-get .* zstd$/);
  });

  for (const sudo of ['none', 'asks'] as const) {
    it(`says the exact command where sudo ${sudo === 'none' ? 'is missing' : 'asks and no terminal is there'}`, () => {
      const here = stub({...user, sudo});
      const {code, stderr} = here.run('--yes');
      expect(code).toBe(1);
      expect(stderr).toContain(
        'run as root: apt-get update && apt-get install -y --no-install-recommends zstd',
      );
      expect(here.calls()).toEqual([]);
    });
  }

  it('gives the user a range of ids where there is none', () => {
    const here = stub({uid: 1000, installed: everyProgram(), sudo: 'works', subuid: 'other:1:1\n'});
    expect(here.run('--check')).toMatchObject({code: 1});
    expect(here.run('--yes').code).toBe(0);
    expect(here.calls().at(-1)).toBe(
      'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 tester',
    );
    expect(here.run('--check')).toMatchObject({code: 0});
  });
});

describe('setup.sh elsewhere', () => {
  const names = {
    fedora: 'sudo dnf install erofs-utils',
    arch: 'sudo pacman -S --needed erofs-utils',
    void: 'erofs-utils',
  };
  for (const [osId, advice] of Object.entries(names)) {
    it(`names the packages on ${osId} and installs nothing`, () => {
      const here = stub({installed: without('mkfs.erofs'), osId});
      const {code, stderr} = here.run('--yes');
      expect(code).toBe(1);
      expect(stderr).toContain(advice);
      expect(here.calls()).toEqual([]);
    });
  }

  it('refuses an unknown option as a usage error', () => {
    expect(stub({}).run('--bogus')).toMatchObject({code: 2, stdout: ''});
  });
});
