/**
 * Opens damaged databases and uses them, in a process of its own: LMDB answers what it does not understand with a
 * signal. `damage-child.ts SOUND FOLDER FROM TO` prints a JSON line for each seed before and after it.
 */
import {copyFileSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {AgentError} from '../../src/model/errors.js';
import {openStore, openStoreToRead, type VmStore} from '../../src/state/vm-store.js';
import {randomSource} from './random-source.js';

const [sound = '', folder = '', from = '0', to = '0'] = process.argv.slice(2);

/** One to four places of one page, or of any page, get other bytes; or a whole page does; or two pages change places. */
const damage = (content: Buffer, seed: number): string => {
  const random = randomSource(seed);
  const pages = content.length / 4096;
  const page = random(pages);
  const kind = random(4);
  if (kind === 0) {
    for (let n = 0; n < 4096; n++) content[page * 4096 + n] = random(256);
    return `page ${page} is random`;
  }
  if (kind === 1) {
    const other = random(pages);
    content.copy(content, page * 4096, other * 4096, (other + 1) * 4096);
    return `page ${page} is a copy of ${other}`;
  }
  const places = Array.from({length: 1 + random(4)}, () =>
    kind === 2 ? page * 4096 + random(64) : random(content.length),
  );
  for (const place of places) content[place] = random(2) === 0 ? random(256) : 0xff;
  return `bytes ${places.join(', ')} are other ones`;
};

const read = (path: string): string => {
  const {records, broken} = openStoreToRead(path, 0)?.list() ?? {records: [], broken: []};
  return `${records.length} and ${broken.length} broken`;
};

const write = async (path: string): Promise<string> => {
  const store = openStore(path, 0);
  try {
    return change(store);
  } finally {
    await store.database.close();
  }
};

const change = (store: VmStore): string => {
  const {records, broken} = store.list();
  for (const {id} of records) store.get(id);
  const [first] = records;
  if (first) {
    for (let n = 0; n < 8; n++)
      store.update(first.id, (record) => ({...record, failure: 'x'.repeat(n * 900)}));
    store.insert({...first, id: 'python-zzzzzzzz', name: null});
    store.remove(first.id);
  }
  return `${records.length} and ${broken.length} broken`;
};

const outcome = async (use: (path: string) => string | Promise<string>, path: string): Promise<string> => {
  try {
    return await use(path);
  } catch (error) {
    return error instanceof AgentError ? error.code : `unexpected ${String(error)}`;
  }
};

for (let seed = Number(from); seed < Number(to); seed++) {
  const path = join(folder, `${seed}.mdb`);
  copyFileSync(sound, path);
  const content = readFileSync(path);
  const what = damage(content, seed);
  writeFileSync(path, content);
  process.stdout.write(`${JSON.stringify({seed, what})}\n`);
  const seen = {read: await outcome(read, path), write: await outcome(write, path)};
  process.stdout.write(`${JSON.stringify({seed, ...seen})}\n`);
  for (const file of [path, `${path}-lock`]) rmSync(file, {force: true});
}
