/** A small file in the runtime folder for each order: who is at work on it, or that it has failed. */
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ProcessRef} from '../model/vm-record.js';
import type {MakerOrder} from './order.js';

export interface MarkPlace {
  /** `<state>`: other state directories have other marks. */
  readonly stateFolder: string;
  readonly runtimeFolder: string;
}

export interface Mark {
  /** False where a process is at work on it, or it has failed lately. */
  readonly isFree: () => boolean;
  /** False where somebody else was faster. */
  readonly claim: (self: ProcessRef) => boolean;
  /** To whoever does the work; undefined: it has ended already. */
  readonly pass: (self: ProcessRef, maker: ProcessRef | undefined) => void;
  readonly fail: (reason: string) => void;
  readonly remove: () => void;
}

/** A machine that was too busy may be less so then, and what fails for good costs little so rarely. */
const FAILED_MS = 15 * 60_000;

export const markOf = (
  {stateFolder, runtimeFolder}: MarkPlace,
  {launcher, digest, cpus, memoryMib, network}: MakerOrder,
  isAlive: (ref: ProcessRef) => boolean,
): Mark => {
  const facts = [stateFolder, launcher, digest, cpus, memoryMib, network];
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  const path = join(runtimeFolder, `template-${key}.json`);
  const isFree = (): boolean => {
    const mark = read(path);
    if (mark && 'maker' in mark) return !isAlive(mark.maker);
    return !mark || Date.now() - mark.sinceMs > FAILED_MS;
  };
  const isOf = (self: ProcessRef): boolean => {
    const mark = read(path);
    return mark !== undefined && 'maker' in mark && mark.maker.pid === self.pid;
  };
  const write = (content: Content, flag = 'w'): void =>
    writeFileSync(path, JSON.stringify(content), {mode: 0o600, flag});
  const remove = (): void => rmSync(path, {force: true});
  return {
    isFree,
    claim: (self) => {
      if (!isFree()) return false;
      mkdirSync(runtimeFolder, {recursive: true, mode: 0o700});
      remove();
      try {
        write({maker: self}, 'wx');
        return true;
      } catch {
        return false;
      }
    },
    pass: (self, maker) => {
      if (maker) write({maker});
      else if (isOf(self)) remove();
    },
    fail: (reason) => write({failed: reason}),
    remove,
  };
};

type Content = {readonly maker: ProcessRef} | {readonly failed: string};

/** Undefined where there is none, or none that can be read. */
const read = (
  path: string,
): {readonly maker: ProcessRef} | {readonly failed: string; readonly sinceMs: number} | undefined => {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isMaker(content)) return content;
    return {failed: '', sinceMs: statSync(path).mtimeMs};
  } catch {
    return undefined;
  }
};

const isMaker = (content: unknown): content is {readonly maker: ProcessRef} =>
  typeof content === 'object' &&
  content !== null &&
  'maker' in content &&
  typeof content.maker === 'object' &&
  content.maker !== null &&
  'pid' in content.maker &&
  'startedAt' in content.maker;
