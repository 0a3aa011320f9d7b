/** Starts a maker: a process of its own that makes one template and ends. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import type {ProcessRef} from '../model/vm-record.js';
import {identifyProcess, isAlive} from '../process/identity.js';
import {spawnDetached} from '../process/spawn-detached.js';
import {type MarkPlace, markOf} from './mark.js';
import {type MakerOrder, toWords} from './order.js';

export interface MakerProgram extends MarkPlace {
  /** What runs it: Node, and its arguments up to the order. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets the maker's log: that of the last one. */
  readonly templatesFolder: string;
  readonly self: ProcessRef;
}

/** Starts none where one is at work on that order, or has failed. */
export const startMaker = async (program: MakerProgram, order: MakerOrder): Promise<void> => {
  const mark = markOf(program, order, isAlive);
  const {
    command: [file, ...args],
    env,
    templatesFolder,
    self,
  } = program;
  mkdirSync(templatesFolder, {recursive: true, mode: 0o700});
  if (!mark.claim(self)) return;
  const logPath = join(templatesFolder, 'make.log');
  try {
    const maker = await spawnDetached({file, args: [...args, ...toWords(order)], env, logPath});
    maker.release();
    mark.pass(self, identifyProcess(maker.pid));
  } catch (error) {
    mark.pass(self, undefined);
    throw error;
  }
};
