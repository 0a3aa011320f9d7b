import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {parseCpus, parseNumber, parsePath, parsePort} from '../fixtures/krunvm-double/values.mjs';
import type {KrunvmFaults} from '../support/krunvm.js';
import {runKrunvm} from './run-krunvm.js';

const folder = mkdtempSync(join(tmpdir(), 'krunvm-line-'));
afterAll(() => rmSync(folder, {recursive: true}));

const env = {...process.env, XDG_CONFIG_HOME: folder, BUILDAH_ISOLATION: 'rootless'};
const krunvm = (args: readonly string[], faults: KrunvmFaults = {}) => runKrunvm(args, {env, faults});

describe('the command line', () => {
  it.each([
    [['--version'], 'krunvm 0.2.6\n'],
    [['-v', '2', '--version'], 'krunvm 0.2.6\n'],
  ])('%j says the version', (args, stdout) => {
    expect(krunvm(args)).toEqual({status: 0, stdout, stderr: ''});
  });

  it('says the version that is asked for', () => {
    expect(krunvm(['--version'], {version: '0.2.1'}).stdout).toBe('krunvm 0.2.1\n');
  });

  it('lists the subcommands on standard output', () => {
    const {status, stdout, stderr} = krunvm(['--help']);
    expect({status, stderr}).toEqual({status: 0, stderr: ''});
    for (const name of ['create', 'start', 'delete', 'list', 'inspect', 'changevm', 'config']) {
      expect(stdout).toContain(`\n  ${name}`);
    }
    expect(stdout).not.toMatch(/\b(?:stop|exec|ps|logs)\b/);
  });

  it.each([
    [[], /^Manage microVMs/],
    [['stop', 'x'], /^error: unrecognized subcommand 'stop'/],
    [['create'], /required arguments were not provided:\n {2}<IMAGE>/],
    [['delete', 'x', '--force'], /unexpected argument '--force' found/],
    [['create', '--name'], /a value is required for '--name <NAME>'/],
    [['create', '--cpus=two', 'x'], /^error: invalid value 'two' for '--cpus <CPUS>': invalid digit found/],
    [['create', '--cpus=1', '--cpus=2', 'x'], /cannot be used multiple times/],
    [['start', 'x', '/bin/ls', '-l'], /unexpected argument '-l' found/],
    [['create', '-v', '/tmp:/in:ro', 'x'], /^error: invalid value '\/tmp:\/in:ro' for '--volume/],
  ])('%j is a usage error', (args, words) => {
    const {status, stdout, stderr} = krunvm(args);
    expect({status, stdout}).toEqual({status: 2, stdout: ''});
    expect(stderr).toMatch(words);
  });

  it.each([
    [['start', 'nobody'], 'No VM found with name nobody\n'],
    [['delete', 'nobody'], 'No VM found with that name\n'],
    [['inspect', 'nobody'], 'No VM found with that name\n'],
  ])('%j is an error on standard output', (args, stdout) => {
    expect(krunvm(args)).toEqual({status: 255, stdout, stderr: ''});
  });

  it('wants buildah unshare of an ordinary user, whatever the subcommand', () => {
    const theirs = {...env, XDG_CONFIG_HOME: join(folder, 'theirs'), BUILDAH_ISOLATION: undefined};
    mkdirSync(theirs.XDG_CONFIG_HOME);
    chmodSync(folder, 0o755);
    chmodSync(theirs.XDG_CONFIG_HOME, 0o777);
    const asUser = (args: readonly string[]) => runKrunvm(args, {env: theirs, asUser: true});
    const words = 'Please re-run krunvm inside a "buildah unshare" session\n';
    expect(asUser(['list'])).toEqual({status: 255, stdout: words, stderr: ''});
    expect(asUser(['--version']).status).toBe(0);
    expect(asUser(['delete']).status).toBe(2);
  });

  it('says that buildah is missing', () => {
    const without = {...env, PATH: '/nowhere'};
    const {status, stdout} = runKrunvm(['create', '--name=x', 'localhost/x'], {env: without});
    expect({status, stdout}).toEqual({
      status: 255,
      stdout: "krunvm requires buildah to manage the OCI images, and it wasn't found on this system.\n",
    });
  });

  it('does not get further than its libraries', () => {
    const {status, stdout, stderr} = krunvm(['--version'], {'missing-libkrun': true});
    expect({status, stdout}).toEqual({status: 127, stdout: ''});
    expect(stderr).toMatch(/^krunvm: error while loading shared libraries: libkrun\.so\.1: /);
  });

  it('waits first where that is asked for', () => {
    const startedAt = performance.now();
    expect(krunvm(['list'], {slow: 400}).status).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(400);
    expect(krunvm(['list'], {'slow-create': 60_000}).status).toBe(0);
  });
});

describe('values', () => {
  it.each([
    ['/tmp', /colons/],
    ['/tmp:/in:ro', /colons/],
    ['tmp:/in', /host_path is not an absolute path/],
    ['/no/such:/in', /host_path does not exists/],
    ['/tmp:in', /guest_path is not an absolute path/],
    ['/tmp:/', /only single direct root children/],
    ['/tmp:/a/b', /only single direct root children/],
  ])('no volume is %s', (text, words) => {
    expect(() => parsePath(text)).toThrow(words);
  });

  it('are pairs and numbers', () => {
    expect(parsePath('/tmp:/in')).toEqual(['/tmp', '/in']);
    expect(parsePort('8080:80')).toEqual(['8080', '80']);
    expect(() => parsePort('8080:99999')).toThrow('number too large');
    expect(() => parseCpus('256')).toThrow('number too large');
    expect(() => parseNumber('-1')).toThrow('invalid digit');
  });
});

describe('config', () => {
  it('changes the defaults, and says errors with exit code 0', () => {
    const {status, stdout} = krunvm(['config', '--cpus=9', '--mem=512', '--dns=9.9.9.9']);
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'Error: the maximum number of CPUs supported is 8',
      'Global config:',
      'Default number of CPUs for newly created VMs: 2',
      'Default amount of RAM (MiB) for newly created VMs: 512',
      'Default DNS server for newly created VMs: 9.9.9.9',
      '',
    ]);
    expect(readFileSync(join(folder, 'krunvm', 'krunvm.toml'), 'utf8')).toContain('default_mem = 512\n');
  });
});
