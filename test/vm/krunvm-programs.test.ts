/** A program that krunvm needs is missing or too old: said before anything is made, with the version that is needed. */
import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import {failureOf, IMAGE, makeStub, type RunOptions, realProgram, useKrunvm} from './krunvm-fixture.js';
import {leftoversOf, namesIn, nothing} from './krunvm-traces.js';

const fixture = useKrunvm();
const {state, run} = fixture;
const createIt = ['vm', 'create', '--image', IMAGE];

/** A program of this version; what else it is asked, the real one answers. */
const stubOf = (name: string, version: string): string =>
  makeStub(state, name, `[ "$1" = --version ] || exec ${realProgram(name)} "$@"; echo "${version}"`);

/** The linker's list of libraries with a libkrun of this version. */
const stubOfLibkrun = (version: string): string => {
  const folder = join(state.path, `libkrun-${version}`);
  mkdirSync(folder);
  writeFileSync(join(folder, `libkrun.so.${version}`), '');
  symlinkSync(`libkrun.so.${version}`, join(folder, 'libkrun.so.1'));
  return makeStub(state, 'ldconfig', `echo "	libkrun.so.1 (libc6,x86-64) => ${folder}/libkrun.so.1"`);
};

const withoutKrunvm = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !namesIn(folder).includes('krunvm'))
  .join(delimiter);

const problems: readonly (readonly [string, () => RunOptions, string])[] = [
  ['no krunvm', () => ({env: {PATH: withoutKrunvm}}), "'krunvm' is not installed."],
  [
    'an old krunvm',
    () => ({faults: {version: '0.2.1'}}),
    'krunvm 0.2.1 is too old: agent needs 0.2.5 or later.',
  ],
  [
    'an old buildah',
    () => ({
      stubs: stubOf('buildah', 'buildah version 1.19.6 (image-spec 1.0.1-dev, runtime-spec 1.0.2-dev)'),
    }),
    'buildah 1.19.6 is too old: agent needs 1.23.0 or later.',
  ],
  [
    'an old libkrun',
    () => ({stubs: stubOfLibkrun('1.9.8')}),
    'libkrun 1.9.8 is too old: agent needs 1.12.0 or later.',
  ],
  [
    'no libkrun',
    () => ({faults: {'missing-libkrun': true}}),
    'libkrun.so.1: cannot open shared object file: No such file or directory',
  ],
];

describe.each(problems)('with %s', (_, options, words) => {
  it('no VM is made, and the reason is told', async () => {
    const result = await run(createIt, options());
    const failure = failureOf(result);
    expect({code: result.code, stdout: result.stdout.toString(), failure: failure.code}).toEqual({
      code: 1,
      stdout: '',
      failure: 'LAUNCHER_UNAVAILABLE',
    });
    expect(JSON.stringify([failure.message, failure.details])).toContain(words);
    expect(failure.hint).toMatch(/--launcher qemu/);
    const {stdout} = await run(['vm', 'list', '--all', '--json']);
    expect(JSON.parse(stdout.toString())).toEqual([]);
    expect(leftoversOf(state)).toEqual(nothing);
  });
});

describe('a VM that was made before', () => {
  let id = '';
  beforeAll(async () => {
    id = await fixture.create([], {stubs: stubOfLibkrun('1.17.4')});
  });

  it('is not run without krunvm, and can be cleaned without it', async () => {
    const env = {PATH: withoutKrunvm};
    const result = await fixture.exec(id, 'true', {env});
    expect(result.code).toBe(125);
    expect(failureOf(result)).toMatchObject({
      code: 'LAUNCHER_UNAVAILABLE',
      error: "'krunvm' is not installed.",
      hint: expect.stringContaining('krunvm 0.2.5 or later'),
    });
    expect((await fixture.exec(id, 'true')).code).toBe(0);
    expect((await run(['vm', 'clean', '--vm', id], {env})).code).toBe(0);
    expect(leftoversOf(state)).toEqual(nothing);
  });
});
