import {execFileSync} from 'node:child_process';
import {mkdir, mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {deadTempFolders, makeTempFolder} from '../../src/containers/temp-folder.js';
import {identifyProcess} from '../../src/process/identity.js';
import {createTestStore} from '../image/stored-image.js';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'agent-temp-'));
});
afterEach(() => rm(parent, {recursive: true, force: true}));

it('never counts a living maker’s folder as dead', async () => {
  await makeTempFolder(parent);
  expect(await deadTempFolders(parent)).toEqual([]);
});

it('counts those of a gone process, of a reused pid and without a maker', async () => {
  const gone = execFileSync('sh', ['-c', 'echo $$'], {encoding: 'utf8'}).trim();
  const startedAt = encodeURIComponent(identifyProcess(process.pid)?.startedAt ?? '');
  const dead = [
    `.making-${gone}-${startedAt}-00`,
    `.making-${process.pid}-earlier-00`,
    '.making-',
    '.making-%-%-x',
  ];
  for (const name of [...dead, 'refs', 'making-1-1-1']) await mkdir(join(parent, name));
  expect((await deadTempFolders(parent)).sort()).toEqual(dead.map((name) => join(parent, name)).sort());
});

it('is cleared away by the store, and nothing else is', async () => {
  const there = await createTestStore();
  const dead = `.making-${process.pid}-earlier-00`;
  for (const folder of [there.imagesFolder, there.containersFolder]) {
    await mkdir(join(folder, dead, 'deep'), {recursive: true});
    await makeTempFolder(folder);
  }
  await there.store.reap();
  const left = [...(await readdir(there.imagesFolder)), ...(await readdir(there.containersFolder))];
  expect(left).toHaveLength(2);
  expect(left).not.toContain(dead);
  await there.remove();
});
