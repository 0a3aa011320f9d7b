/** Small files in the runtime folder: who makes a template for a state directory, one at a time, and which orders have failed. */
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
  /** False where a process makes any template there, or this one has failed lately. */
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
  const pathOf = (...facts: readonly unknown[]): string => {
    const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
    return join(runtimeFolder, `template-${key}.json`);
  };
  const makerPath = pathOf(stateFolder);
  const failurePath = pathOf(stateFolder, launcher, digest, cpus, memoryMib, network);
  const hasFailed = (): boolean => {
    const failedAt = statSync(failurePath, {throwIfNoEntry: false})?.mtimeMs;
    return failedAt !== undefined && Date.now() - failedAt <= FAILED_MS;
  };
  const isFree = (): boolean => {
    const maker = readMaker(makerPath);
    return !(maker && isAlive(maker)) && !hasFailed();
  };
  const write = (path: string, content: object, flag = 'w'): void =>
    writeFileSync(path, JSON.stringify(content), {mode: 0o600, flag});
  const remove = (): void => rmSync(makerPath, {force: true});
  return {
    isFree,
    claim: (self) => {
      if (!isFree()) return false;
      mkdirSync(runtimeFolder, {recursive: true, mode: 0o700});
      remove();
      try {
        write(makerPath, self, 'wx');
        return true;
      } catch {
        return false;
      }
    },
    pass: (self, maker) => {
      if (maker) write(makerPath, maker);
      else if (readMaker(makerPath)?.pid === self.pid) remove();
    },
    fail: (reason) => {
      write(failurePath, {failed: reason});
      remove();
    },
    remove,
  };
};

/** Undefined where there is none, or none that can be read. */
const readMaker = (path: string): ProcessRef | undefined => {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isRef(content) ? content : undefined;
  } catch {
    return undefined;
  }
};

const isRef = (content: unknown): content is ProcessRef =>
  typeof content === 'object' && content !== null && 'pid' in content && 'startedAt' in content;
