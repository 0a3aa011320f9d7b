/** Folders for work that is not finished; each names its maker, so that only a dead one's is ever removed. */
import {randomBytes} from 'node:crypto';
import {mkdir, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {identifyProcess, isAlive} from '../process/identity.js';

const PREFIX = '.making-';

/** Makes `.making-<pid>-<start>-<random>`, private to the user. */
export const makeTempFolder = async (parent: string): Promise<string> => {
  const self = identifyProcess(process.pid);
  const folder = join(
    parent,
    `${PREFIX}${process.pid}-${encodeURIComponent(self?.startedAt ?? 'unknown')}-${randomBytes(4).toString('hex')}`,
  );
  await mkdir(parent, {recursive: true, mode: 0o700});
  await mkdir(folder, {mode: 0o700});
  return folder;
};

/** The temp folders whose makers are gone. */
export const deadTempFolders = async (parent: string): Promise<string[]> => {
  const names = await readdir(parent).catch(() => []);
  return names.filter((name) => isDead(name)).map((name) => join(parent, name));
};

const isDead = (name: string): boolean => {
  if (!name.startsWith(PREFIX)) return false;
  const [, pid, startedAt] = /^(\d+)-(.+)-[0-9a-f]+$/.exec(name.slice(PREFIX.length)) ?? [];
  if (pid === undefined || startedAt === undefined) return true;
  return !isAlive({pid: Number(pid), startedAt: decode(startedAt)});
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not written by us: matches no living process
  }
};
