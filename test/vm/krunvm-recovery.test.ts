/** What krunvm or buildah has lost, kept by mistake, or stored half: the VM works again, and says what it has lost. */
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import type {AgentResult} from '../support/agent.js';
import {failureOf, IMAGE, makeStub, realProgram, useKrunvm} from './krunvm-fixture.js';
import {until} from './krunvm-process.js';
import {
  buildahByHand,
  containerOf,
  doublesOf,
  isRoot,
  krunvmByHand,
  leftoversOf,
  mountsBelow,
  namesIn,
  nothing,
  processesOf,
  registryFile,
  scriptByHand,
  startByHand,
  storedIn,
} from './krunvm-traces.js';

const fixture = useKrunvm();
const {state, run, exec, stop, create, begin} = fixture;

const expectOutput = (result: AgentResult, stdout: string): void => {
  expect({code: result.code, stdout: result.stdout.toString()}).toEqual({code: 0, stdout});
};

describe('a VM that krunvm has lost', () => {
  let [id, file] = ['', ''];
  beforeAll(async () => {
    id = await create(['--persist']);
    file = registryFile(fixture, id);
    expectOutput(await exec(id, 'echo kept > /own; echo too > /persist/shared'), '');
  });

  it.each([
    ['the file is gone', 255, () => rmSync(file)],
    ['the file is empty', 101, () => writeFileSync(file, '')],
    ['the file ends in the middle', 101, () => cutBefore(file, 'workdir')],
    ['the file knows no VM', 255, () => writeFileSync(file, withoutVms(file))],
  ])('comes back with its files: %s', async (_, krunvmCode, damage) => {
    await stop(id);
    damage();
    expect(krunvmByHand(fixture, id, ['start', id, '/.agent']).status).toBe(krunvmCode);
    expectOutput(await exec(id, 'cat /own /persist/shared'), 'kept\ntoo\n');
  });

  it.each([
    ['only krunvm still knows', () => {}],
    ['nobody knows', () => rmSync(file)],
  ])('and whose container %s is made anew, and says so', async (_, forget) => {
    await stop(id);
    buildahByHand(fixture, ['rm', containerOf(id)]);
    forget();
    const env = {AGENT_LOG_FORMAT: 'pretty'};
    const result = await exec(id, 'cat /persist/shared; ls /own', {env});
    expect(result.stdout.toString()).toBe('too\n');
    expect(result.stderr).toContain(`krunvm has lost ${id} and its files: it is made again`);
    expectOutput(await exec(id, 'cat /persist/shared'), 'too\n');
  });
});

const cutBefore = (file: string, word: string): void => {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(word);
  writeFileSync(file, text.slice(0, text.indexOf(word)));
};

const withoutVms = (file: string): string =>
  `${readFileSync(file, 'utf8').replace(/^\[vmconfig_map[\s\S]*/m, '')}[vmconfig_map]\n`;

describe('a VM that runs', () => {
  it('by hand is not started a second time, and is not harmed', async () => {
    const id = await create(['--persist']);
    expectOutput(await exec(id, 'echo mine > /persist/file'), '');
    await stop(id);
    const first = startByHand(fixture, id, ['/bin/sh']);
    first.child.stdin?.write('cat /persist/file\n');
    await until('it runs', () => first.said() === 'mine\n');
    const second = await exec(id, 'true');
    expect(second.code).toBe(125);
    expect(failureOf(second)).toMatchObject({
      code: 'VM_BUSY',
      error: expect.stringMatching(`^VM '${id}' is running already, as process \\d+\\.$`),
    });
    first.child.stdin?.end('echo still; cat /persist/file\n');
    expect(await first.ended).toMatchObject({code: 0, stdout: Buffer.from('mine\nstill\nmine\n')});
    await cleanAll();
  });
});

describe('what a start by hand leaves', () => {
  const onVfs = useKrunvm();
  beforeAll(() => {
    const folder = join(onVfs.state.path, 'containers');
    mkdirSync(folder, {mode: 0o700});
    writeFileSync(join(folder, 'storage.conf'), 'driver = "vfs"\n');
  });

  it.each([
    ['a VM that still runs', fixture, false],
    ['the mounts of one that has ended, in a storage without overlays', onVfs, true],
  ])('is cleaned, but for the files of the host: %s', async (_, place, ends) => {
    const {path} = place.state;
    const id = await place.create(['--persist']);
    const started = startByHand(place, id, ['/bin/sh']);
    started.child.stdin?.write('mkdir /persist/folder; echo kept > /persist/folder/kept; echo up\n');
    await until('it runs', () => started.said() === 'up\n');
    if (ends) {
      started.child.stdin?.end();
      await started.ended;
    }
    if (isRoot)
      expect(mountsBelow(join(path, 'containers'))).toContainEqual(expect.stringMatching(/\/persist$/));
    const {code, stderr} = await place.run(['vm', 'clean', '--vm', id, '--keep-persist']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    const persist = join(path, 'persist', id);
    expect(readFileSync(join(persist, 'shared', 'folder', 'kept'), 'utf8')).toBe('kept\n');
    rmSync(persist, {recursive: true});
    expect(leftoversOf(place.state)).toMatchObject({mounts: [], processes: []});
  });
});

describe('an image that was stored half', () => {
  const containers = join(state.path, 'containers');
  const halfLayers = (): string[] =>
    namesIn(containers).filter((name) => namesIn(join(containers, name)).includes('layer'));

  it('because the command line was killed meanwhile is stored anew', async () => {
    await cleanAll();
    if (storedIn(state.path, 'images').length > 0) buildahByHand(fixture, ['rmi', '--all', '--force']);
    // As buildah does while it writes a layer.
    const script = `${realProgram('fsck.erofs')} "$@"; echo half >"$TMPDIR/layer"; sleep 60`;
    const stubs = makeStub(state, 'fsck.erofs', script);
    const {child, ended} = begin(['vm', 'create', '--image', IMAGE], {stubs});
    await until('the image is being unpacked', () => halfLayers().length > 0);
    child.kill('SIGKILL');
    await ended;
    await until('nothing of it runs', () => processesOf(state).length === 0, 2_000);
    expect(leftoversOf(state).containers).toEqual([expect.stringMatching(/^making-/)]);
    expect(halfLayers()).toHaveLength(1);
    const id = await create();
    expectOutput(await exec(id, 'echo works'), 'works\n');
    expect(halfLayers()).toEqual([]);
    await cleanAll();
  });

  it('and cannot be read is stored anew; VMs that were made of it can be cleaned', async () => {
    await create();
    for (const {layer} of storedIn(state.path, 'images')) {
      const folders = ['overlay', 'vfs/dir'].map((folder) => join(containers, 'storage', folder));
      scriptByHand(
        fixture,
        'for folder; do rm -rf "$folder"; done',
        folders.map((folder) => join(folder, layer)),
      );
    }
    const id = await create();
    expectOutput(await exec(id, 'echo works'), 'works\n');
    await cleanAll();
  });

  it('for all that krunvm can tell is stored anew', async () => {
    const id = await create([], {faults: {'create-fails': 1}});
    expectOutput(await exec(id, 'echo works'), 'works\n');
    await cleanAll();
  });
});

it('a create that is killed while krunvm makes the VM leaves what clean removes', async () => {
  const {child, ended} = begin(['vm', 'create', '--image', IMAGE], {faults: {'slow-create': 60_000}});
  await until('krunvm runs', () => doublesOf(state, 'create').length > 0);
  child.kill('SIGKILL');
  await ended;
  await until('nothing of it runs', () => processesOf(state).length === 0, 2_000);
  await cleanAll();
});

/** Leaves nothing at all. */
const cleanAll = async (): Promise<void> => {
  const {code, stderr} = await run(['vm', 'clean', '--all']);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  expect(leftoversOf(state)).toEqual(nothing);
};
