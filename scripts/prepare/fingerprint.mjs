// @ts-check
import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

/**
 * One hash over the names and the content of files and folders: two trees with the same content have the same one,
 * whatever their times say. What does not exist counts as empty.
 * @param {string} root
 * @param {readonly string[]} paths relative to `root`
 */
export const fingerprint = (root, paths) => {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesUnder(root, path))) {
    hash.update(`${file}\0`).update(
      createHash('sha256')
        .update(readFileSync(join(root, file)))
        .digest(),
    );
  }
  return hash.digest('hex');
};

/**
 * @param {string} root
 * @param {string} path
 * @returns {string[]}
 */
const filesUnder = (root, path) => {
  try {
    return readdirSync(join(root, path), {withFileTypes: true})
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const name = `${path}/${entry.name}`;
        if (entry.isDirectory()) return filesUnder(root, name);
        return entry.isFile() ? [name] : [];
      });
  } catch (error) {
    const {code} = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOTDIR') return [path];
    if (code === 'ENOENT') return [];
    throw error;
  }
};

/**
 * Does `work` unless `stamp` already names the fingerprint. The stamp lies among what the work makes, so that it goes
 * when that goes.
 * @param {{read: () => string | undefined, write: (value: string) => void, clear: () => void}} stamp
 * @param {string} wanted
 * @param {() => Promise<void>} work
 * @returns {Promise<boolean>} whether there was anything to do
 */
export const unlessStamped = async (stamp, wanted, work) => {
  if (stamp.read() === wanted) return false;
  stamp.clear();
  await work();
  stamp.write(wanted);
  return true;
};
