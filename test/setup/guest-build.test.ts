import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {describe, expect, it} from 'vitest';
import {createTree} from './temp-tree.js';
import {whereIs} from './where-is.js';

const script = resolve('guest/build.sh');
const BASE = 'dirname mkdir mv rm sh tr wc'.split(' ');

/** Runs guest/build.sh on a machine that has these compilers; each only notes how it was called. */
const buildOn = (system: string, machine: string, compilers: readonly string[], arch?: string) => {
  const folder = createTree({});
  const bin = join(folder, 'bin');
  const log = join(folder, 'log');
  mkdirSync(bin);
  for (const name of BASE) symlinkSync(whereIs(name), join(bin, name));
  const stub = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  stub('uname', `case $1 in -m) echo ${machine};; *) echo ${system};; esac`);
  const notes = `echo "\${0##*/} $*" >> ${log}; for last; do :; done; echo elf > "$last"`;
  for (const name of compilers) stub(name, notes);
  const out = join(folder, 'a folder');
  const args = arch === undefined ? ['', out] : [arch, out];
  const {status, stderr} = spawnSync(join(bin, 'sh'), [script, ...args], {
    encoding: 'utf8',
    env: {PATH: bin},
  });
  return {
    code: status,
    stderr,
    call: existsSync(log) ? readFileSync(log, 'utf8').trim() : '',
    built: (name: string) => existsSync(join(out, `agent-${name}`)),
  };
};

describe('guest/build.sh', () => {
  const compilers: readonly [string, string, string, string[], string | undefined, string][] = [
    ['its own compiler with musl', 'Linux', 'x86_64', ['musl-gcc', 'cc', 'zig'], undefined, 'musl-gcc -std'],
    ['its own compiler without', 'Linux', 'x86_64', ['cc', 'zig'], undefined, 'cc -std'],
    [
      'a compiler for the other machine',
      'Linux',
      'x86_64',
      ['cc', 'aarch64-linux-gnu-gcc', 'zig'],
      'aarch64',
      'aarch64-linux-gnu-gcc -std',
    ],
    [
      'zig where no other crosses',
      'Linux',
      'x86_64',
      ['cc', 'zig'],
      'aarch64',
      'zig cc -target aarch64-linux-musl -std',
    ],
    [
      'zig on a Mac, whose own makes no Linux programs',
      'Darwin',
      'arm64',
      ['cc', 'zig'],
      undefined,
      'zig cc -target aarch64-linux-musl -std',
    ],
    [
      "Homebrew's musl-cross on a Mac",
      'Darwin',
      'arm64',
      ['cc', 'aarch64-linux-musl-gcc', 'zig'],
      undefined,
      'aarch64-linux-musl-gcc -std',
    ],
  ];
  for (const [what, system, machine, installed, arch, call] of compilers) {
    it(`takes ${what}`, () => {
      const build = buildOn(system, machine, installed, arch);
      expect(build).toMatchObject({code: 0, stderr: ''});
      expect(build.call.startsWith(call)).toBe(true);
      expect(build.call).toContain(' -static ');
      expect(build.built(machine === 'arm64' || arch === 'aarch64' ? 'aarch64' : 'x86_64')).toBe(true);
    });
  }

  it('says what to install where no compiler makes Linux programs', () => {
    const build = buildOn('Darwin', 'arm64', ['cc']);
    expect(build).toMatchObject({code: 1, call: ''});
    expect(build.stderr).toContain('no compiler here makes Linux programs for aarch64: install zig');
  });

  it('refuses a machine that it does not know', () => {
    expect(buildOn('Linux', 'x86_64', ['cc'], 'riscv64')).toMatchObject({code: 2, call: ''});
  });
});
