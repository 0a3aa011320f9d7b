// @ts-check
import {randomUUID} from 'node:crypto';
import {linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {setTimeout as wait} from 'node:timers/promises';

const ASK_AGAIN_MS = 300;

/**
 * Does `work` while no other process does the same, told by a file with the holder's pid. A holder that died holds
 * nothing.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {{onWait?: (pid: number) => void}} [options]
 */
export const withFileLock = async (file, work, {onWait} = {}) => {
  mkdirSync(dirname(file), {recursive: true});
  let told = false;
  while (!tryToTake(file)) {
    const holder = holderOf(file);
    if (holder !== undefined && !isAlive(holder)) removeDead(file, holder);
    else {
      if (holder !== undefined && !told) onWait?.(holder);
      told ||= holder !== undefined;
      await wait(ASK_AGAIN_MS);
    }
  }
  const release = () => rmSync(file, {force: true});
  process.on('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
};

/**
 * Whole from its first moment: nobody sees the file without the pid in it.
 * @param {string} file
 */
const tryToTake = (file) => {
  const own = ownName(file);
  writeFileSync(own, `${process.pid}\n`);
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, {force: true});
  }
};

/**
 * Takes a dead holder's file away, and gives it back where a living one has come in between.
 * @param {string} file
 * @param {number} holder
 */
const removeDead = (file, holder) => {
  const aside = ownName(file);
  try {
    renameSync(file, aside);
    if (holderOf(aside) !== holder) linkSync(aside, file);
  } catch {
    // Somebody else was quicker, which is as good.
  } finally {
    rmSync(aside, {force: true});
  }
};

/** @param {string} file */
const ownName = (file) => `${file}.${randomUUID()}`;

/** @param {string} file */
const holderOf = (file) => {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    // Released between our try and this look.
    return undefined;
  }
};

/** @param {number} pid */
const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
};
