// @ts-check
/** Boots in this very process, through the launcher: what the command line waits for, without the command line. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';

const READY_MS = 60_000;
const SYNC_MS = 10_000;

/** What the command line takes by itself. */
export const SIZE = /** @type {const} */ ({cpus: 1, memoryMib: 256, network: 'none'});

/** @param {import('./ground.mjs').Ground} ground */
export const createBoots = ({parts, env, paths, signal}) => {
  const context = parts.createContext({env, progress: parts.silentProgress, signal});
  const folder = join(paths.root, 'boots');
  mkdirSync(folder, {mode: 0o700});
  let count = 0;
  /** @param {import('./languages.mjs').BenchLanguage} language */
  const imageOf = (language) => {
    const image = context.images.find(context.images.resolve({language}));
    if (image === undefined) throw new Error(`there is no image for ${language}`);
    return image;
  };
  return {
    /** @param {import('./languages.mjs').BenchLanguage} language */
    hasTemplate: async (language) => {
      const templates = await context.launcher('qemu').templates();
      return (await templates?.has({...SIZE, image: imageOf(language)})) ?? false;
    },
    /**
     * Milliseconds from asking for a VM until its agent has answered and its clock is set.
     * @param {import('./languages.mjs').BenchLanguage} language
     * @param {{mayRestore: boolean}} options
     */
    untilReady: async (language, {mayRestore}) => {
      count += 1;
      const spec = {
        ...SIZE,
        id: `bench-${count}`,
        folder,
        persistFolder: null,
        image: imageOf(language),
        ephemeral: true,
        guestVolumes: false,
      };
      const startedAt = performance.now();
      const launcher = context.launcher('qemu');
      const machine = await launcher.boot(spec, {progress: context.progress, signal, mayRestore});
      try {
        const {channel, lastLines} = machine;
        const {guest} = await parts.connectChannel({channel, timeoutMs: READY_MS, signal, lastLines});
        await guest.sync(SYNC_MS);
        const ms = performance.now() - startedAt;
        requireKind(machine, mayRestore);
        guest.close();
        return ms;
      } finally {
        await machine.kill();
      }
    },
  };
};

/**
 * A boot in the place of a template would make a fine number, of something else.
 * @param {import('../../src/launcher/launcher.js').Machine} machine
 * @param {boolean} mayRestore
 */
const requireKind = ({restored}, mayRestore) => {
  if ((restored !== null) !== mayRestore)
    throw new Error(
      mayRestore ? 'it booted instead of going on from a template' : 'it went on from a template',
    );
  if (restored && !restored.isSound()) throw new Error('its template was not sound');
};
