/** Finds kernels: the user's own, those that we have downloaded, those that the distribution has installed. */
import {existsSync} from 'node:fs';
import {open, readdir, readFile} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import {AgentError} from '../../../model/errors.js';
import {readRelease} from './bzimage.js';
import type {KernelFile} from './choose-kernel.js';
import {unpack} from './unpack.js';

const HEAD_BYTES = 64 * 1024;

/** Folder of the downloaded kernels, each laid out as its package is: `boot/vmlinuz-…`, `lib/modules/…`. */
export const downloadedKernels = (cacheFolder: string): string => join(cacheFolder, 'kernels');

/** Every kernel of the distribution's, unreadable ones included: the user may want to know. */
export const findKernels = async (cacheFolder: string): Promise<KernelFile[]> => {
  const downloads = downloadedKernels(cacheFolder);
  const roots = ['/', ...(await list(downloads)).map((name) => join(downloads, name))];
  const kernels = await Promise.all(roots.map(async (root) => await kernelsBelow(root)));
  return kernels.flat();
};

/** AGENT_KERNEL: a file that the user vouches for; its modules lie beside it or below /lib/modules. */
export const userKernel = async (path: string): Promise<KernelFile> => {
  const absolute = resolve(path);
  const head = await readHead(absolute);
  if (head === undefined) throw unreadable(path);
  const release = readRelease(head) ?? (await scanRelease(absolute));
  const folder = dirname(absolute);
  const places = [
    folder,
    join(folder, 'modules'),
    join(folder, 'lib/modules'),
    join(folder, '../lib/modules'),
  ];
  const modulesFolder = modulesIn([...places, '/lib/modules', '/usr/lib/modules'], release);
  return {path: absolute, release, modulesFolder, readable: true};
};

// Fedora and Arch keep the kernel beside its modules, the others in /boot.
const kernelsBelow = async (root: string): Promise<KernelFile[]> => {
  const boot = join(root, 'boot');
  const modules = join(root, 'lib/modules');
  const inBoot = (await list(boot)).flatMap((name) => {
    const named = /^vmlinu[xz]-(.+)$/.exec(name)?.[1];
    return named === undefined || named.includes('rescue') ? [] : [{path: join(boot, name), named}];
  });
  const besideModules = (await list(modules)).map((named) => ({
    path: join(modules, named, 'vmlinuz'),
    named,
  }));
  const found = [...inBoot, ...besideModules.filter(({path}) => existsSync(path))];
  return await Promise.all(
    found.map(async ({path, named}) => {
      const head = await readHead(path);
      const release = (head && readRelease(head)) ?? named;
      const modulesFolder = modulesIn([modules, join(root, 'usr/lib/modules')], release);
      return {path, release, modulesFolder, readable: head !== undefined};
    }),
  );
};

const modulesIn = (places: readonly string[], release: string): string | null =>
  places.map((place) => join(place, release)).find((folder) => existsSync(join(folder, 'kernel'))) ?? null;

const readHead = async (path: string): Promise<Buffer | undefined> => {
  try {
    const file = await open(path);
    try {
      const {buffer, bytesRead} = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // not ours to read, as Ubuntu's kernels are not for users
  }
};

// arm64 kernels and a vmlinux have no header with the release; the text of /proc/version is in all of them.
const scanRelease = async (path: string): Promise<string> => {
  const file = await unpack(await readFile(path), {
    folder: dirname(path),
    signal: new AbortController().signal,
  });
  const at = file.indexOf('Linux version ');
  const text = at < 0 ? '' : file.toString('latin1', at + 14, at + 142);
  return /^[\w.+~-]+/.exec(text)?.[0] ?? 'unknown';
};

const unreadable = (path: string): AgentError =>
  new AgentError('KERNEL_NOT_FOUND', `Cannot read the kernel '${path}' that AGENT_KERNEL names.`, {
    hints: ['set AGENT_KERNEL to a kernel that you can read, or unset it and run: agent setup'],
  });

const list = async (folder: string): Promise<string[]> => await readdir(folder).catch(() => []);
