/** What cannot be done is refused at once: one clear error, the right exit code, and nothing is left behind. */
import {existsSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openStore} from '../../src/state/vm-store.js';
import {agent, makeState, type StateFolder} from '../support/agent.js';
import {contentOf, errorOf} from '../support/refusal.js';
import {someRecord} from '../support/some-records.js';

const folder = mkdtempSync(join(tmpdir(), 'bad-input-'));
const missing: StateFolder = {path: join(folder, 'no-state'), remove: () => {}};
const state = makeState();

// Two that begin alike, one with a name, one without a language.
beforeAll(async () => {
  const store = openStore(join(state.path, 'agent.mdb'), process.getuid?.() ?? 0);
  store.insert(someRecord({id: 'python-aaaa0001', name: 'taken'}));
  store.insert(someRecord({id: 'python-aaaa0002'}));
  store.insert(someRecord({id: 'vm-bbbb0003', language: null}));
  await store.database.close();
  for (const id of ['python-aaaa0001', 'python-aaaa0002', 'vm-bbbb0003'])
    mkdirSync(join(state.path, 'vms', id), {recursive: true});
});
afterAll(() => {
  state.remove();
  rmSync(folder, {recursive: true, force: true});
});

const LANGUAGE = ['--language', 'python'];
const create = (...args: readonly string[]): string[] => ['vm', 'create', ...LANGUAGE, ...args];
const temp = (...args: readonly string[]): string[] => ['vm', 'temp', ...LANGUAGE, ...args];
const exec = (...args: readonly string[]): string[] => ['vm', 'exec', ...args];

interface BadInput {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly code?: string;
}

const badInputs: Readonly<Record<string, BadInput>> = {
  'an unknown flag': {args: create('--bogus')},
  'an unknown command': {args: ['bogus']},
  'an unknown command of vm': {args: ['vm', 'bogus']},
  'an unknown language': {args: ['vm', 'create', '--language', 'perl']},
  'neither language nor image': {args: ['vm', 'create']},
  'no processor': {args: create('--cpu', '0')},
  'too many processors': {args: create('--cpu', '999')},
  'a number of processors that is none': {args: create('--cpu', 'abc')},
  'too little memory': {args: create('--mem', '1')},
  'memory that is no size': {args: create('--mem', 'abc')},
  'an unknown network': {args: create('--network', 'bogus')},
  'an image like a flag': {args: ['vm', 'create', '--image', '-x']},
  'an image like a path upwards': {args: ['vm', 'create', '--image', '../..']},
  'an image without a name': {args: ['vm', 'create', '--image', '']},
  'a missing file': {args: temp('--file', join(folder, 'missing.py'))},
  'a missing file beside a command': {args: temp('--cmd', 'true', '--file', join(folder, 'missing.py'))},
  'a folder for a program': {args: temp('--file', folder)},
  'a timeout that is no time': {args: temp('--cmd', 'true', '--timeout', 'abc')},
  'a timeout of nothing': {args: temp('--cmd', 'true', '--timeout', '0')},
  'a negative timeout': {args: temp('--cmd', 'true', '--timeout', '-1')},
  'a label without a value': {args: create('--label', 'team')},
  'a variable without a name': {args: create('--env', '=x')},
  'a name with a slash': {args: create('--name', 'a/b')},
  'an empty command': {args: temp('--cmd', '')},
  'a command and source': {args: temp('--cmd', 'true', '--code', '1')},
  'nothing to run': {args: temp()},
  'source without a language': {args: ['vm', 'temp', '--image', 'localhost/x', '--code', '1']},
  'a stray argument': {args: temp('--cmd', 'true', 'stray')},
  'a stray argument of create': {args: create('stray')},
  '--json where there is none': {args: create('--json')},
  'an unknown launcher': {args: create('--launcher', 'bogus')},
  'an unknown launcher in the environment': {args: create(), env: {AGENT_LAUNCHER: 'bogus'}},
  'an unknown log level in the environment': {args: ['vm', 'list'], env: {AGENT_LOG_LEVEL: 'loud'}},
  'an unknown log format in the environment': {args: ['vm', 'list'], env: {AGENT_LOG_FORMAT: 'xml'}},
  'an unknown use of templates in the environment': {args: ['vm', 'list'], env: {AGENT_TEMPLATES: 'on'}},
  'no image to warm': {args: ['image', 'warm']},
  'warming for VMs without a processor': {args: ['image', 'warm', 'python', '--cpu', '0']},
  'warming what no VM would start from': {args: ['image', 'warm', 'python'], env: {AGENT_TEMPLATES: 'off'}},
  'a log file in a missing folder': {args: ['vm', 'list', '--log-file', join(folder, 'missing', 'x.log')]},
  'exec on nothing': {args: exec('--cmd', 'true')},
  'exec on one and all': {args: exec('--vm', 'x', '--all', '--cmd', 'true')},
  'exec on an unknown VM': {args: exec('--vm', 'nobody', '--cmd', 'true'), code: 'VM_NOT_FOUND'},
  'run on an unknown VM': {args: ['vm', 'run', '--vm', 'nobody', '--cmd', 'true'], code: 'VM_NOT_FOUND'},
  'stop of an unknown VM': {args: ['vm', 'stop', '--vm', 'nobody'], code: 'VM_NOT_FOUND'},
  'inspect of an unknown VM': {args: ['vm', 'inspect', 'nobody'], code: 'VM_NOT_FOUND'},
  'inspect of nothing': {args: ['vm', 'inspect']},
  'clean of nothing': {args: ['vm', 'clean']},
};

describe('bad input', () => {
  it.each(Object.entries(badInputs))('is refused: %s', async (_, {args, env = {}, code = 'USAGE'}) => {
    const result = await agent(args, {state: missing, env});
    expect(errorOf(result)).toEqual({
      level: 'error',
      message: expect.stringMatching(/^.{8,300}$/),
      time: expect.any(String),
      code,
      hint: expect.stringMatching(/.{8}/),
    });
    expect(result).toMatchObject({code: 2, signal: null});
    expect(result.stdout.toString()).toBe('');
    expect(existsSync(missing.path)).toBe(false);
  });

  it.each<[string, readonly string[], string]>([
    ['a name that is taken', create('--name', 'taken'), 'VM_NAME_TAKEN'],
    ['the start of two ids', ['vm', 'run', '--vm', 'python-aaaa', '--cmd', 'true'], 'VM_AMBIGUOUS'],
    ['the start of two ids to clean', ['vm', 'clean', '--vm', 'python-aaaa'], 'VM_AMBIGUOUS'],
    ['source for a VM without a language', exec('--vm', 'vm-bbbb0003', '--code', '1'), 'USAGE'],
    ['a missing file for a VM', exec('--vm', 'taken', '--cmd', 'true', '--file', '/no/file'), 'USAGE'],
  ])('is refused beside VMs: %s', async (_, args, code) => {
    const before = contentOf(state.path);
    const result = await agent(args, {state});
    expect(errorOf(result)).toMatchObject({level: 'error', code});
    expect(result).toMatchObject({code: 2, signal: null});
    expect(result.stdout.toString()).toBe('');
    expect(contentOf(state.path)).toEqual(before);
  });

  it('is told to people in lines with arrows', async () => {
    const {code, stderr, stdout} = await agent(create('--cpu', '0', '--log-format', 'pretty'), {
      state: missing,
    });
    expect(stderr).toBe("error: --cpu '0' is out of range.\n  → give a whole number from 1 to 32\n");
    expect({code, stdout: stdout.toString()}).toEqual({code: 2, stdout: ''});
  });
});
