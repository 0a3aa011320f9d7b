// @ts-check
/**
 * `npm run fuzz`: random and mutated bytes for the decoders of the guest protocol, a campaign that each seed repeats.
 * Each end is a module of this folder with a function that prints what it did, and throws at a finding.
 */
import {dirname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {runMain, StepError} from '../prepare/step.mjs';
import {fuzzGuest} from './guest.mjs';
import {fuzzHost} from './host.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const USAGE = 'usage: npm run fuzz -- [--guest] [--host] [--frames N] [--seed N]';

/** @typedef {(options: {root: string, frames: number, seed: number}) => Promise<void>} Campaign */

/** @type {Readonly<Record<string, Campaign>>} */
const campaigns = {guest: fuzzGuest, host: fuzzHost};

/**
 * @param {string} name
 * @param {string} text
 */
const readNumber = (name, text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} ${text}: not a positive number`);
  return value;
};

const readOptions = () => {
  const names = Object.keys(campaigns);
  try {
    const {values} = parseArgs({
      options: {
        ...Object.fromEntries(names.map((name) => [name, {type: /** @type {const} */ ('boolean')}])),
        frames: {type: 'string', default: '1000000'},
        seed: {type: 'string', default: '1'},
      },
    });
    const chosen = names.filter((name) => Reflect.get(values, name) === true);
    return {
      chosen: chosen.length > 0 ? chosen : names,
      frames: readNumber('frames', String(values.frames)),
      seed: readNumber('seed', String(values.seed)),
    };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    throw new StepError(USAGE, {exitCode: 2});
  }
};

await runMain(async () => {
  const {chosen, frames, seed} = readOptions();
  for (const name of chosen) {
    await campaigns[name]?.({root, frames, seed});
  }
  return 0;
});
