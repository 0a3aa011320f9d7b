// @ts-check
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {runStep, StepError} from '../prepare/step.mjs';
import {KERNEL, LIBRARIES, PACKAGES} from './parts.mjs';

/**
 * The folder with the parts: `debian/` with the unpacked packages, and the libraries. Fetched where it is not there,
 * whole or not at all.
 * @param {string} cache
 */
export const fetchParts = async (cache) => {
  const key = createHash('sha256')
    .update(JSON.stringify([KERNEL, PACKAGES, LIBRARIES]))
    .digest('hex');
  const folder = join(cache, `parts-${key.slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, {recursive: true, mode: 0o700});
  const making = mkdtempSync(join(cache, 'making-'));
  try {
    await fetchDebian(making);
    for (const library of LIBRARIES) await fetchLibrary(library, making);
    renameSync(making, folder);
  } finally {
    rmSync(making, {recursive: true, force: true});
  }
  return folder;
};

/** @param {string} folder */
const fetchDebian = async (folder) => {
  const packages = join(folder, 'packages');
  mkdirSync(packages);
  await runStep({
    title: 'Fetching a kernel with KVM and the programs of the outer guest',
    file: 'apt-get',
    args: ['download', '-qq', ...PACKAGES, kernelPackage()],
    cwd: packages,
    mend: 'run apt-get update',
  });
  for (const name of readdirSync(packages)) {
    execFileSync('dpkg-deb', ['-x', join(packages, name), join(folder, 'debian')]);
  }
  rmSync(packages, {recursive: true});
};

/** What the meta package stands for today. */
const kernelPackage = () => {
  const text = execFileSync('apt-cache', ['depends', KERNEL], {encoding: 'utf8'});
  const name = /Depends: (linux-image-[\w.+-]+)/.exec(text)?.[1];
  if (name === undefined)
    throw new StepError(`apt knows no ${KERNEL}`, {mend: 'run apt-get update, on Debian'});
  return name;
};

/**
 * @param {typeof LIBRARIES[number]} library
 * @param {string} folder
 */
const fetchLibrary = async ({name, version, integrity, member, file}, folder) => {
  const unpacked = join(folder, 'unpacked');
  mkdirSync(unpacked);
  await runStep({
    title: `Fetching ${file} with ${name} ${version}`,
    file: 'npm',
    args: ['pack', `${name}@${version}`, '--silent', '--pack-destination', unpacked],
    cwd: unpacked,
    mend: 'check the network, and which registry npm uses',
  });
  const [tarball = ''] = readdirSync(unpacked);
  const hash = createHash('sha512')
    .update(readFileSync(join(unpacked, tarball)))
    .digest('base64');
  if (`sha512-${hash}` !== integrity) throw new StepError(`${name} ${version} is not what it was`);
  execFileSync('tar', ['-xzf', tarball, member], {cwd: unpacked});
  renameSync(join(unpacked, member), join(folder, file));
  rmSync(unpacked, {recursive: true});
};
