// @ts-check

/** @typedef {typeof import('./parts.js')} Parts */

/**
 * From the sources, as they are now. Loaded late: packages may have been installed only just before.
 * @returns {Promise<Parts>}
 */
export const loadParts = async () => {
  const {tsImport} = await import('tsx/esm/api');
  return await tsImport('./parts.ts', import.meta.url);
};
