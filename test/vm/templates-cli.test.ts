/** Warm starts as users meet them. The other tests have them switched off. */
import {mkdirSync, readdirSync, symlinkSync, truncateSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {useSmallImage} from '../contract/small-images.js';
import {type AgentResult, agent, jsonLines, makeState, type StateFolder} from '../support/agent.js';
import {namesIn} from '../support/folders.js';
import {until} from '../support/until.js';
import {processesOf, useState} from '../support/vm-state.js';

/** With a runtime folder of its own, so that no mark of other tests is met, and none is left. */
const makeWarmState = (): StateFolder => {
  const state = makeState();
  const runtime = join(state.path, 'runtime');
  mkdirSync(runtime, {mode: 0o700});
  return {...state, env: {AGENT_LAUNCHER: 'qemu', AGENT_TEMPLATES: 'auto', XDG_RUNTIME_DIR: runtime}};
};
const state = useState(makeWarmState);

const small = await useSmallImage();
const ownImages = useState(() => {
  const made = makeWarmState();
  unlinkSync(join(made.path, 'images'));
  symlinkSync(small.folder, join(made.path, 'images'));
  return made;
});

const run = (...args: readonly string[]): Promise<AgentResult> =>
  agent([...args, '--log-level', 'debug'], {state, timeoutMs: 170_000});
const temp = (code: string, ...flags: readonly string[]): Promise<AgentResult> =>
  run('vm', 'temp', '--language', 'python', '--code', code, ...flags);

const event = ({stdout}: AgentResult): Record<string, unknown> => jsonLines(stdout.toString())[0] ?? {};
const isRestored = ({events}: AgentResult): boolean =>
  events.some(({detail}) => detail === 'it goes on from a template');
const saved = (): string[] =>
  namesIn(join(state.path, 'templates'))
    .filter((name) => /^[0-9a-f]{32}$/.test(name))
    .map((name) => join(state.path, 'templates', name, 'saved'));
const isMade = async (): Promise<void> => {
  await until('a template is made', () => saved().length === 1, 170_000);
  await until('its maker ends', () => processesOf(state).length === 0, 20_000);
};

interface ListedImage {
  readonly default_for: readonly string[];
  readonly templates: readonly Record<string, unknown>[];
}
const pythonTemplates = async (): Promise<readonly Record<string, unknown>[] | undefined> => {
  const {code, stdout} = await agent(['image', 'list', '--json'], {state});
  expect(code).toBe(0);
  const images: ListedImage[] = JSON.parse(stdout.toString());
  return images.find((image) => image.default_for.includes('python'))?.templates;
};

/** Prints the files that were made on this day, which are none of the image's. */
const NEW_FILES = `
import os, time
for folder, _, names in os.walk('/'):
    if folder.split('/')[1] in ('proc', 'sys', 'dev'): continue
    for name in names:
        path = os.path.join(folder, name)
        if os.lstat(path).st_mtime > time.time() - 86400: print(path)
`;

describe('a template', () => {
  it('is made by image warm, and shown', async () => {
    expect(await pythonTemplates()).toEqual([]);
    const warmed = await run('image', 'warm', 'python');
    expect(warmed.code).toBe(0);
    expect(event(warmed)).toMatchObject({
      message: 'image warmed',
      language: 'python',
      launcher: 'qemu',
      cpus: 1,
      memory_mib: 256,
      network: 'none',
    });
    const {cpus, memory_mib, network, size_bytes, created_at} = event(warmed);
    expect(size_bytes).toBeGreaterThan(16 * 1024 ** 2);
    expect(await pythonTemplates()).toEqual([{cpus, memory_mib, network, size_bytes, created_at}]);
  });

  it('is kept where it is whole', async () => {
    const again = await run('image', 'warm', 'python', '--json');
    expect(again.code).toBe(0);
    expect(event(again).message).toBe('image already warm');
    expect(saved()).toHaveLength(1);
  });

  it('is what a temporary VM starts from, which finds no trace of what ran in it', async () => {
    const warm = await temp(NEW_FILES);
    expect(warm.code, warm.stderr).toBe(0);
    expect(isRestored(warm)).toBe(true);
    const cold = await agent(['vm', 'temp', '--language', 'python', '--code', NEW_FILES], {
      state,
      env: {AGENT_TEMPLATES: 'off'},
    });
    expect(isRestored(cold)).toBe(false);
    const found = ({stdout}: AgentResult): string[] => stdout.toString().split('\n').toSorted();
    expect(found(warm)).toContain('/etc/machine-id');
    expect(found(warm)).toEqual(found(cold));
  });

  it('is what a VM that stays starts from', async () => {
    expect((await run('vm', 'create', '--language', 'python', '--name', 'stays')).code).toBe(0);
    const ran = await run('vm', 'exec', '--vm', 'stays', '--cmd', 'hostname; echo kept > /srv/note');
    expect(ran.code, ran.stderr).toBe(0);
    expect(isRestored(ran)).toBe(true);
    expect(ran.stdout.toString()).toMatch(/^python-/);
    expect((await run('vm', 'clean', '--vm', 'stays')).code).toBe(0);
  });

  it('costs a boot and nothing else where it is damaged, and is made again meanwhile', async () => {
    const [path = ''] = saved();
    truncateSync(path, 1024 ** 2);
    const booted = await temp('print(6 * 7)');
    expect(booted.code, booted.stderr).toBe(0);
    expect(booted.stdout.toString()).toBe('42\n');
    expect(isRestored(booted)).toBe(false);
    await isMade();
    expect(isRestored(await temp('print(1)'))).toBe(true);
  });
});

describe('in the background', () => {
  it('a first VM of its kind has one made, and does not wait for it', async () => {
    const first = await temp('print(1)', '--mem', '200');
    expect(first.code, first.stderr).toBe(0);
    expect(isRestored(first)).toBe(false);
    await until('a second template', () => saved().length === 2, 170_000);
    await until('its maker ends', () => processesOf(state).length === 0, 20_000);
    expect(
      readdirSync(join(state.path, 'runtime', 'agent')).filter((name) => name.startsWith('template-')),
    ).toEqual([]);
    expect(isRestored(await temp('print(1)', '--mem', '200'))).toBe(true);
  });

  it('none is made where they are switched off', async () => {
    const {code} = await agent(['vm', 'temp', '--language', 'python', '--code', '1', '--mem', '180'], {
      state,
      env: {AGENT_TEMPLATES: 'off'},
    });
    expect(code).toBe(0);
    expect(processesOf(state)).toEqual([]);
    expect(saved()).toHaveLength(2);
  });
});

it('goes with its image', async () => {
  const digest = String(small.digests.small);
  const own = (...args: readonly string[]): Promise<AgentResult> =>
    agent([...args, '--log-level', 'debug'], {state: ownImages, timeoutMs: 170_000});
  const warmed = await own('image', 'warm', digest);
  expect(event(warmed)).toMatchObject({message: 'image warmed', language: null, image_digest: digest});
  const ran = await own('vm', 'temp', '--image', digest, '--cmd', 'echo warm');
  expect([ran.code, ran.stdout.toString(), isRestored(ran)]).toEqual([0, 'warm\n', true]);
  const before = namesIn(join(ownImages.path, 'templates'));
  expect(before).toHaveLength(1);
  const removed = await own('image', 'remove', digest);
  expect(removed.code, removed.stderr).toBe(0);
  expect(namesIn(join(ownImages.path, 'templates'))).toEqual([]);
});
