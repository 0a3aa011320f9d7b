import {execFileSync} from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {
  addTemplate,
  findSound,
  listTemplates,
  type NewTemplate,
  noteUse,
  pruneTemplates,
  removeTemplatesOf,
  type StoredTemplate,
} from '../../../../src/launcher/qemu/template/template-store.js';

const KEY = 'a'.repeat(32);
const DIGEST = `sha256:${'1'.repeat(64)}`;
const facts: NewTemplate = {
  digest: DIGEST,
  cpus: 1,
  memoryMib: 512,
  network: 'none',
  origin: {qemu: 'q', kernel: 'k', agent: 'a'},
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-templates-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

const saved = (key = KEY): string => join(folder, key, 'saved');
const record = (key = KEY): string => join(folder, key, 'template.json');

const add = async (key = KEY, content = 'a whole machine'): Promise<void> =>
  await addTemplate(folder, {key, facts}, async ({savedPath}) => writeFileSync(savedPath, content));

const found = async (key: string, at = folder): Promise<StoredTemplate> => {
  const template = await findSound(at, key);
  if (typeof template === 'string') throw new Error(`it is ${template}`);
  return template;
};

describe('a template', () => {
  it('is there once it is complete', async () => {
    expect(await findSound(folder, KEY)).toBe('none');
    await expect(
      addTemplate(folder, {key: KEY, facts}, async ({savedPath}) => {
        writeFileSync(savedPath, 'half a mach');
        expect(await listTemplates(folder)).toEqual([]);
        throw new Error('QEMU has died');
      }),
    ).rejects.toThrow('QEMU has died');
    expect(await listTemplates(folder)).toEqual([]);
    await add();
    expect(await findSound(folder, KEY)).toMatchObject({
      ...facts,
      key: KEY,
      savedPath: saved(),
      sizeBytes: 15,
    });
    expect(await listTemplates(folder)).toHaveLength(1);
  });

  it('takes the place of another', async () => {
    await add();
    await add(KEY, 'another');
    expect((await found(KEY)).savedPath).toBe(saved());
    expect(readFileSync(saved(), 'utf8')).toBe('another');
  });

  const damages: Record<string, () => void> = {
    'cut short': () => truncateSync(saved(), 5),
    'longer than it was': () => appendFileSync(saved(), 'x'),
    'changed in one byte': () => writeFileSync(saved(), 'a whole Machine', {flag: 'r+'}),
    'changed, with its time set back': () => {
      const time = new Date(1_000_000);
      utimesSync(saved(), time, time);
      writeFileSync(saved(), 'a whole Machine', {flag: 'r+'});
      utimesSync(saved(), time, time);
    },
    'without its file': () => rmSync(saved()),
    'without its record': () => rmSync(record()),
    'a link to one': () => {
      renameSync(saved(), `${saved()}.away`);
      symlinkSync(`${saved()}.away`, saved());
    },
    'a device without end': () => {
      rmSync(saved());
      symlinkSync('/dev/zero', saved());
    },
    'much larger than it was': () => truncateSync(saved(), 2 ** 37),
    'beside a record that is a pipe': () => {
      rmSync(record());
      execFileSync('mkfifo', [record()]);
    },
    'with a record cut short': () => truncateSync(record(), 20),
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(`is not used when it is ${name}`, async () => {
      await add();
      damage();
      expect(await findSound(folder, KEY)).toBe('damaged');
      expect(await findSound(folder, KEY)).toBe('none');
      await add();
      expect(await findSound(folder, KEY)).toHaveProperty('savedPath');
    });
  }

  it('is used after it was moved or copied whole, for example out of a backup', async () => {
    await add();
    const copy = `${folder}-copy`;
    cpSync(folder, copy, {recursive: true});
    const first = await found(KEY, copy);
    expect((await found(KEY, copy)).identity).toBe(first.identity);
    rmSync(copy, {recursive: true});
  });

  it('goes with its image', async () => {
    await add();
    const other = 'c'.repeat(32);
    await add(other);
    writeFileSync(record(other), '{"schema": 0}');
    await removeTemplatesOf(folder, (digest) => digest !== DIGEST);
    expect(existsSync(saved())).toBe(true);
    expect(existsSync(join(folder, other))).toBe(false); // nobody's
    await removeTemplatesOf(folder, (digest) => digest === DIGEST);
    expect(existsSync(join(folder, KEY))).toBe(false);
  });

  it('goes when it was not used for a month, and stays when it was', async () => {
    const old = 'b'.repeat(32);
    await add();
    await add(old);
    const longAgo = new Date(Date.now() - 31 * 24 * 3600 * 1000);
    utimesSync(record(old), longAgo, longAgo);
    await noteUse(await found(old));
    await pruneTemplates(folder, KEY);
    expect(await findSound(folder, old)).toHaveProperty('savedPath');
    utimesSync(record(old), longAgo, longAgo);
    await pruneTemplates(folder, KEY);
    expect(existsSync(join(folder, old))).toBe(false);
    expect(await findSound(folder, KEY)).toHaveProperty('savedPath');
  });

  it('goes when the templates that were used later take all the space there is for them', async () => {
    const keys = ['1', '2', '3'].map((digit) => digit.repeat(32));
    for (const [index, key] of keys.entries()) {
      await add(key);
      const time = new Date(Date.now() - (keys.length - index) * 1000);
      const bytes = JSON.parse(readFileSync(record(key), 'utf8'));
      truncateSync(saved(key), 1.5 * 1024 ** 3);
      writeFileSync(record(key), JSON.stringify({...bytes, sizeBytes: 1.5 * 1024 ** 3}));
      utimesSync(record(key), time, time);
    }
    await pruneTemplates(folder, keys[2] ?? '');
    expect((await listTemplates(folder)).map(({key}) => key).sort()).toEqual(keys.slice(1));
    await pruneTemplates(folder, keys[0] ?? '');
    expect((await listTemplates(folder)).map(({key}) => key).sort()).toEqual(keys.slice(1));
  });
});
