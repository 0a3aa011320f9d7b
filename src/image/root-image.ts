/** Makes the erofs image of a tree. The tree is read, never followed: links, devices and sockets are copied as they are. */
import {stat} from 'node:fs/promises';

/** Same content, same image: a fixed identity and build time; files keep their own times (Python's caches need them). */
export const mkfsCommand = (output: string): readonly string[] => [
  'mkfs.erofs',
  '--quiet',
  // Uncompressed: emulated guests boot slower from compressed ones than disks are slow.
  '-U',
  '00000000-0000-4000-8000-000000000000',
  '--',
  output,
];

/** mkfs.erofs takes the image's build time from here and cuts later file times to it: the last second that 32 bits hold. */
export const mkfsEnv = {SOURCE_DATE_EPOCH: '2147483647'} as const;

/** `34 MB`, and at least 1. */
export const sizeOf = async (path: string): Promise<string> =>
  `${Math.max(1, Math.round((await stat(path)).size / 1e6))} MB`;
