// @ts-check
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

/**
 * Whether node_modules holds what package-lock.json asks for, by npm's own record of what it installed. Optional
 * packages may be absent: they belong to other platforms.
 * @param {string} root
 */
export const npmPackagesAreInstalled = (root) => {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  const wanted = packagesOf(join(root, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(([path, {version, integrity, optional, devOptional}]) => {
    if (path === '') return true;
    const present = installed[path];
    if (present === undefined) return optional === true || devOptional === true;
    return present.version === version && present.integrity === integrity && existsSync(join(root, path));
  });
};

/** @typedef {{version?: string, integrity?: string, optional?: boolean, devOptional?: boolean}} LockedPackage */

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
const packagesOf = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    // Absent or damaged: both mean that npm has to run again.
    return undefined;
  }
};
