/** The command line with the krunvm launcher, krunvm's test double, and a state directory with one small image. */
import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {afterAll, beforeAll, expect} from 'vitest';
import {
  type AgentResult,
  agent,
  jsonLines,
  prepared,
  type StateFolder,
  startAgent,
} from '../support/agent.js';
import {type KrunvmFaults, withKrunvm} from '../support/krunvm.js';
import {addSmallImage} from './krunvm-image.js';
import {type Begun, watch} from './krunvm-process.js';
import {leftoversOf, nothing, removeFolder} from './krunvm-traces.js';

export const IMAGE = 'localhost/test/small:1';

export interface RunOptions {
  /** What the double is to do wrong. */
  readonly faults?: KrunvmFaults;
  readonly env?: Readonly<Record<string, string>>;
  /** Folder before all others on PATH. */
  readonly stubs?: string;
}

export interface KrunvmFixture {
  readonly state: StateFolder;
  readonly environment: (options?: RunOptions) => Readonly<Record<string, string>>;
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<AgentResult>;
  readonly begin: (args: readonly string[], options?: RunOptions) => Begun;
  /** `vm create`, of the small image where no other is named; the VM's id. */
  readonly create: (args?: readonly string[], options?: RunOptions) => Promise<string>;
  /** `vm exec` of a shell command in that VM. */
  readonly exec: (id: string, command: string, options?: RunOptions) => Promise<AgentResult>;
  /** So that the next command boots it again, or something can be done to it by hand. */
  readonly stop: (id: string) => Promise<void>;
}

/** A state directory that is removed after the tests; `vm clean` must have left nothing that is not in its folder. */
export const useKrunvm = (prefix = 'agent-krunvm-'): KrunvmFixture => {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const state = {path, remove: () => removeFolder(path)};
  const fixture = makeFixture(state);
  beforeAll(async () => {
    for (const folder of ['images', 'run']) mkdirSync(join(path, folder), {mode: 0o700});
    symlinkSync(prepared.boot, join(path, 'boot'));
    await addSmallImage({imagesFolder: join(path, 'images'), reference: IMAGE});
  });
  afterAll(async () => {
    const {code, stderr} = await fixture.run(['vm', 'clean', '--all']);
    const left = leftoversOf(state);
    state.remove();
    expect({code, stderr, ...left}).toEqual({code: 0, stderr: '', ...nothing});
  });
  return fixture;
};

const makeFixture = (state: StateFolder): KrunvmFixture => {
  const environment: KrunvmFixture['environment'] = ({faults = {}, env = {}, stubs} = {}) => {
    const {PATH, KRUNVM_DOUBLE} = withKrunvm({PATH: process.env.PATH}, faults);
    return {
      PATH: [...(stubs === undefined ? [] : [stubs]), PATH].join(delimiter),
      KRUNVM_DOUBLE: KRUNVM_DOUBLE ?? '',
      XDG_RUNTIME_DIR: join(state.path, 'run'),
      AGENT_LAUNCHER: 'krunvm',
      ...env,
    };
  };
  const run: KrunvmFixture['run'] = (args, options) => agent(args, {state, env: environment(options)});
  return {
    state,
    environment,
    run,
    begin: (args, options) => watch(startAgent(args, {state, env: environment(options)})),
    create: async (args = [], options = {}) => {
      const image = args.includes('--image') ? [] : ['--image', IMAGE];
      const {code, stdout, stderr} = await run(['vm', 'create', ...image, ...args], options);
      expect({code, stderr}).toEqual({code: 0, stderr: ''});
      return String(jsonLines(stdout.toString())[0]?.id);
    },
    exec: (id, command, options) => run(['vm', 'exec', '--vm', id, '--cmd', command], options),
    stop: async (id) => {
      const {code, stderr} = await run(['vm', 'stop', '--vm', id]);
      expect({code, stderr}).toEqual({code: 0, stderr: ''});
    },
  };
};

/** The program of that name, whatever is put before it on PATH. */
export const realProgram = (name: string): string =>
  execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], {encoding: 'utf8'}).trim();

/** A folder with this shell script under that name, for the beginning of PATH. */
export const makeStub = ({path}: Pick<StateFolder, 'path'>, name: string, script: string): string => {
  const folder = mkdtempSync(join(path, 'stub-'));
  chmodSync(folder, 0o755); // another user may run it
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, {mode: 0o755});
  return folder;
};

/** The error of a command that failed: the one line that says so. */
export const failureOf = ({stdout, stderr}: AgentResult): Record<string, unknown> => {
  const errors = jsonLines(`${stdout.toString()}\n${stderr}`).filter(({level}) => level === 'error');
  expect(errors).toHaveLength(1);
  return errors[0] ?? {};
};
