/** An image of this machine's own shell and small tools: guests of the krunvm double are processes of this machine. */
import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, rmSync, symlinkSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {makeTempFolder} from '../../src/containers/temp-folder.js';
import {ROOTFS_FILE} from '../../src/image/layout.js';
import {publishImage, publishReference} from '../../src/image/publish.js';

const programs = ['bash', 'cat', 'chmod', 'cp', 'head', 'id', 'ln', 'ls', 'mkdir', 'mknod', 'mv', 'rm'];
const more = ['readlink', 'sleep', 'stat', 'touch', 'wc'];

export interface SmallImage {
  readonly imagesFolder: string;
  readonly reference: string;
  /** Adds to the image's root folder, or spoils it. */
  readonly plant?: (root: string) => void;
}

/** Stores it, and returns its digest. */
export const addSmallImage = async ({imagesFolder, reference, plant}: SmallImage): Promise<string> => {
  const folder = await makeTempFolder(imagesFolder);
  const root = join(folder, 'root');
  makeRoot(root);
  plant?.(root);
  const quiet = {stdio: 'ignore'} as const;
  execFileSync('mkfs.erofs', ['--all-root', '-T0', join(folder, ROOTFS_FILE), root], quiet);
  rmSync(root, {recursive: true});
  const config = {env: ['PATH=/usr/bin:/bin'], workdir: '/', user: ''};
  const digest = await publishImage({imagesFolder, folder, architecture: process.arch, config});
  rmSync(folder, {recursive: true, force: true}); // the same image may be there already
  await publishReference({imagesFolder, reference, digest, language: null});
  return digest;
};

const makeRoot = (root: string): void => {
  for (const name of ['bin', 'etc', 'tmp']) mkdirSync(join(root, name), {recursive: true});
  for (const name of [...programs, ...more]) addProgram(root, name);
  symlinkSync('bash', join(root, 'bin', 'sh'));
};

/** With the libraries that it needs, at the places where it looks for them. */
const addProgram = (root: string, name: string): void => {
  const file = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], {encoding: 'utf8'}).trim();
  const libraries = execFileSync('ldd', [file], {encoding: 'utf8'}).match(/\/\S+(?= \()/g) ?? [];
  copyFileSync(file, join(root, 'bin', name));
  for (const library of libraries) {
    mkdirSync(join(root, dirname(library)), {recursive: true});
    copyFileSync(library, join(root, library));
  }
};
