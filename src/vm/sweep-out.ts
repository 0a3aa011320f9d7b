import {readdir, rename, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';

const YOUNG_MS = 60_000;

/**
 * Removes what command lines that were killed while they brought /out home have left beside `out/`: half of a new one, or
 * the old one, which takes its place again where there is no other. What is younger than a minute may be somebody's work.
 */
export const sweepOut = async (vmFolder: string, youngMs = YOUNG_MS): Promise<void> => {
  const names = await readdir(vmFolder).catch(() => []);
  const out = join(vmFolder, 'out');
  for (const name of names.filter((found) => /^out\.(new|old)-/.test(found))) {
    const left = join(vmFolder, name);
    if (Date.now() - (await stat(left)).ctimeMs < youngMs) continue;
    const isMissing = await stat(out).then(
      () => false,
      () => true,
    );
    if (isMissing && name.startsWith('out.old-')) await rename(left, out);
    else await rm(left, {recursive: true, force: true});
  }
};
