/** Where templates lie: `<state>/templates/<key>`, a folder each, which appears complete or not at all. */
import {mkdir, readdir, readFile, rm, stat, utimes} from 'node:fs/promises';
import {join} from 'node:path';
import {networkModes} from '../../../model/network.js';
import {object, oneOf, type Shape, text, where, wholeNumber} from '../../../model/shape.js';
import {makeAtomically, writeAtomically} from '../../common/atomic-file.js';
import type {Template} from '../../launcher.js';
import {hashFile, identityOf, sizeOf} from './saved-file.js';
import type {Origin} from './template-key.js';

const SCHEMA = 1 as const;
const SAVED = 'saved';
const RECORD = 'template.json';
const MOST_RECORD_BYTES = 64 * 1024;

export interface TemplateRecord extends Template {
  readonly schema: typeof SCHEMA;
  /** What it was made with. */
  readonly origin: Origin;
  /** Of the file, as 64 hex digits. */
  readonly sha256: string;
  /** Of the file when its hash was last known to be right. */
  readonly identity: string;
}

const positive = where(wholeNumber, 'a positive number', (value) => value > 0);
const matching = (pattern: RegExp): Shape<string> =>
  where(text, String(pattern), (value) => pattern.test(value));

const recordShape = object<TemplateRecord>({
  schema: oneOf([SCHEMA]),
  digest: matching(/^sha256:[0-9a-f]{64}$/),
  cpus: positive,
  memoryMib: positive,
  network: oneOf(networkModes),
  origin: object({qemu: text, kernel: text, agent: text}),
  sizeBytes: positive,
  sha256: matching(/^[0-9a-f]{64}$/),
  identity: text,
  createdAt: matching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
});

export interface StoredTemplate extends TemplateRecord {
  readonly key: string;
  readonly savedPath: string;
  readonly lastUsedMs: number;
}

/** Those whose files are there and of their size; changes nothing. */
export const listTemplates = async (folder: string): Promise<StoredTemplate[]> => {
  const found = await Promise.all((await listKeys(folder)).map((key) => readTemplate(folder, key)));
  return found.filter((template) => template !== undefined);
};

const listKeys = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => /^[0-9a-f]{32}$/.test(name));

/** Undefined where there is none that could be used: it is made anew. */
const readTemplate = async (folder: string, key: string): Promise<StoredTemplate | undefined> => {
  const path = join(folder, key, RECORD);
  const savedPath = join(folder, key, SAVED);
  const recordBytes = sizeOf(path);
  if (recordBytes === 0 || recordBytes > MOST_RECORD_BYTES) return undefined;
  try {
    const record = recordShape(JSON.parse(await readFile(path, 'utf8')));
    const {mtimeMs} = await stat(path);
    if (sizeOf(savedPath) !== record.sizeBytes) return undefined;
    return {...record, key, savedPath, lastUsedMs: mtimeMs};
  } catch {
    return undefined;
  }
};

/** `damaged`: what was there has been removed. */
export const findSound = async (
  folder: string,
  key: string,
): Promise<StoredTemplate | 'none' | 'damaged'> => {
  const found = await readTemplate(folder, key);
  if (!found) {
    const isThere = (await listKeys(folder)).includes(key);
    if (isThere) await removeTemplate(folder, key);
    return isThere ? 'damaged' : 'none';
  }
  const identity = identityOf(found.savedPath);
  if (identity === found.identity) return found;
  const isWhole =
    identity !== undefined && (await hashFile(found.savedPath).catch(() => '')) === found.sha256;
  if (!isWhole || identityOf(found.savedPath) !== identity) {
    await removeTemplate(folder, key);
    return 'damaged';
  }
  // Moved or copied as a whole, for example out of a backup.
  await writeRecord(join(folder, key), {...toRecord(found), identity});
  return {...found, identity};
};

const toRecord = ({
  key: _key,
  savedPath: _path,
  lastUsedMs: _used,
  ...record
}: StoredTemplate): TemplateRecord => record;

const writeRecord = async (folder: string, record: TemplateRecord): Promise<void> =>
  await writeAtomically({path: join(folder, RECORD), content: JSON.stringify(record), mode: 0o600});

/** The one that was not used for the longest time goes first. */
export const noteUse = async ({savedPath}: StoredTemplate): Promise<void> => {
  const now = new Date();
  await utimes(join(savedPath, '..', RECORD), now, now).catch(() => {}); // removed meanwhile
};

export const removeTemplate = async (folder: string, key: string): Promise<void> =>
  await rm(join(folder, key), {recursive: true, force: true});

/** Also what is damaged, or was made by another version of ours: whose it is, nobody knows. */
export const removeTemplatesOf = async (
  folder: string,
  isUnwanted: (digest: string) => boolean,
): Promise<void> => {
  for (const key of await listKeys(folder)) {
    const found = await readTemplate(folder, key);
    if (!found || isUnwanted(found.digest)) await removeTemplate(folder, key);
  }
};

export interface TemplatePlace {
  /** Empty, private to us. */
  readonly folder: string;
  /** Where the saved machine goes, in `folder`. */
  readonly savedPath: string;
}

export type NewTemplate = Omit<TemplateRecord, 'schema' | 'sizeBytes' | 'sha256' | 'identity' | 'createdAt'>;

/** Takes the place of an unsound one. `save` writes the file, in a folder where it may work, and proves it. */
export const addTemplate = async (
  folder: string,
  {key, facts}: {readonly key: string; readonly facts: NewTemplate},
  save: (place: TemplatePlace) => Promise<void>,
): Promise<void> => {
  await makeAtomically(join(folder, key), async (temporary) => {
    await mkdir(temporary, {mode: 0o700});
    const savedPath = join(temporary, SAVED);
    await save({folder: temporary, savedPath});
    const sha256 = await hashFile(savedPath);
    const {size} = await stat(savedPath);
    const identity = identityOf(savedPath) ?? '';
    const createdAt = new Date().toISOString();
    await writeRecord(temporary, {...facts, schema: SCHEMA, sizeBytes: size, sha256, identity, createdAt});
    await removeTemplate(folder, key);
  });
};

/** Of all templates together. */
const MOST_BYTES = 4 * 1024 ** 3;
const UNUSED_MS = 30 * 24 * 3600 * 1000;

/** Keeps `kept`, and of the others those that were used last, as far as the space for templates goes. */
export const pruneTemplates = async (folder: string, kept: string): Promise<void> => {
  await removeTemplatesOf(folder, () => false);
  const newestFirst = (await listTemplates(folder)).sort(
    (a, b) => Number(b.key === kept) - Number(a.key === kept) || b.lastUsedMs - a.lastUsedMs,
  );
  let bytes = 0;
  for (const {key, sizeBytes, lastUsedMs} of newestFirst) {
    bytes += sizeBytes;
    const isDue = bytes > MOST_BYTES || Date.now() - lastUsedMs > UNUSED_MS;
    if (isDue && key !== kept) await removeTemplate(folder, key);
  }
};
