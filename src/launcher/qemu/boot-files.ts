/** The files that a guest starts from, kept in the cache folder: a kernel QEMU can load, and an initramfs. */
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {readdir, readFile, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {writeAtomically} from '../common/atomic-file.js';
import type {Architecture} from '../common/host.js';
import {fileIdentity} from '../common/host.js';
import {buildInitramfs} from './initramfs/build-initramfs.js';
import {hasPvhEntry, readPayload} from './kernel/bzimage.js';
import type {KernelFile} from './kernel/choose-kernel.js';
import {loadModules} from './kernel/module-files.js';
import type {GuestNeeds} from './kernel/modules.js';
import {unpackKernelPayload} from './kernel/unpack.js';

export interface BootFilesRequest {
  readonly cacheFolder: string;
  readonly kernel: KernelFile;
  readonly architecture: Architecture;
  readonly needs: GuestNeeds;
  readonly guestAgentPath: string;
  readonly signal: AbortSignal;
}

export interface BootFiles {
  readonly kernelPath: string;
  readonly initramfsPath: string;
}

/** Makes what is missing. Throws MissingModuleError where the kernel lacks a module that the guest needs. */
export const prepareBootFiles = async (request: BootFilesRequest): Promise<BootFiles> => {
  const initramfsPath = await prepareInitramfs(request); // first: it may find that this kernel will not do
  return {initramfsPath, kernelPath: await prepareKernel(request)};
};

const prepareInitramfs = async (request: BootFilesRequest): Promise<string> => {
  const {cacheFolder, kernel, needs, guestAgentPath, signal} = request;
  const agent = await readFile(guestAgentPath);
  const key = hash(
    LAYOUT,
    fileIdentity(kernel.path),
    kernel.modulesFolder ?? '',
    JSON.stringify(needs),
    agent,
  );
  const path = join(cacheFolder, `initramfs-${key}`);
  if (existsSync(path)) return path;
  const modules = await loadModules(kernel.modulesFolder, needs, {folder: cacheFolder, signal});
  await addToCache(path, buildInitramfs({agent, modules}));
  return path;
};

const prepareKernel = async (request: BootFilesRequest): Promise<string> => {
  const {cacheFolder, kernel} = request;
  const path = join(cacheFolder, `kernel-${hash(LAYOUT, fileIdentity(kernel.path))}`);
  if (!existsSync(path)) await addToCache(path, await loadableKernel(request));
  return path;
};

/** A bare vmlinux starts fastest. Where there is none to be had, QEMU takes the file as it is. */
const loadableKernel = async ({
  cacheFolder,
  kernel,
  architecture,
  signal,
}: BootFilesRequest): Promise<Buffer> => {
  const file = await readFile(kernel.path);
  const payload = architecture === 'x86_64' ? readPayload(file) : undefined;
  if (payload === undefined) return file;
  try {
    const vmlinux = await unpackKernelPayload(payload, {folder: cacheFolder, signal});
    return hasPvhEntry(vmlinux) ? vmlinux : file;
  } catch (error) {
    if (signal.aborted) throw error;
    return file; // no tool for its compression: the kernel unpacks itself, which takes longer
  }
};

/** Counts up when what we make from the same kernel changes. */
const LAYOUT = '1';
const KEPT_MS = 7 * 24 * 3600 * 1000;

/** World-readable in a private folder: the VMM's user opens it through a descriptor that it inherits. */
const addToCache = async (path: string, content: Buffer): Promise<void> => {
  await writeAtomically({path, content, mode: 0o644});
  await removeOld(join(path, '..'));
};

// What an updated kernel or agent has replaced; something still in use is made again in a second.
const removeOld = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (!/^(kernel|initramfs)-[0-9a-f]{16}$/.test(name)) continue;
    const path = join(folder, name);
    const modifiedAt = await stat(path).then(
      (found) => found.mtimeMs,
      () => Date.now(), // another process has removed it
    );
    if (Date.now() - modifiedAt > KEPT_MS) await rm(path, {force: true});
  }
};

const hash = (...parts: readonly (string | Buffer)[]): string => {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex').slice(0, 16);
};
