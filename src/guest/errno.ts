/** Linux errors that a guest reports. The host's own numbers may differ, so Node's tables are of no use here. */
const names: Readonly<Record<number, string>> = {
  1: 'operation not permitted (EPERM)',
  2: 'no such file or directory (ENOENT)',
  5: 'input/output error (EIO)',
  7: 'list too long (E2BIG)',
  8: 'exec format error (ENOEXEC)',
  11: 'no more processes (EAGAIN)',
  12: 'out of memory (ENOMEM)',
  13: 'permission denied (EACCES)',
  17: 'file exists (EEXIST)',
  20: 'not a directory (ENOTDIR)',
  21: 'is a directory (EISDIR)',
  22: 'invalid argument (EINVAL)',
  23: 'too many open files (ENFILE)',
  24: 'too many open files (EMFILE)',
  26: 'text file busy (ETXTBSY)',
  27: 'file too large (EFBIG)',
  28: 'no space left on device (ENOSPC)',
  30: 'read-only file system (EROFS)',
  36: 'file name too long (ENAMETOOLONG)',
  40: 'too many symbolic links (ELOOP)',
  74: 'bad message (EBADMSG)',
  75: 'value too large (EOVERFLOW)',
  84: 'invalid byte sequence (EILSEQ)',
  122: 'disk quota exceeded (EDQUOT)',
};

export const Errno = {ENOENT: 2, E2BIG: 7, ENOTDIR: 20, EFBIG: 27, ENOSPC: 28, EDQUOT: 122} as const;

export const describeErrno = (errno: number): string => names[errno] ?? `error ${errno}`;
