// @ts-check
/**
 * `npm run fuzz`: random and mutated bytes for the decoders of the guest protocol, a campaign that each seed repeats.
 * Each end is a module of this folder with a function that prints what it did, and throws at a finding.
 */
import {existsSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {parseArgs} from 'node:util';
import {runMain, StepError} from '../prepare/step.mjs';
import {fuzzGuest} from './guest.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const hostModule = join(here, 'host.mjs');
const hasHost = existsSync(hostModule);
const USAGE = `usage: npm run fuzz -- [--guest]${hasHost ? ' [--host]' : ''} [--frames N] [--seed N]`;

/** @typedef {(options: {root: string, frames: number, seed: number}) => Promise<void>} Campaign */

/** @type {Readonly<Record<string, () => Promise<Campaign>>>} */
const campaigns = {
  guest: async () => fuzzGuest,
  ...(hasHost && {host: async () => (await import(pathToFileURL(hostModule).href)).fuzzHost}),
};

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
    const campaign = await campaigns[name]?.();
    await campaign?.({root, frames, seed});
  }
  return 0;
});
