/** What a kernel module says of itself in its `.modinfo` section. */
import {isElf64, readElfSection} from './elf.js';

export interface ModuleInfo {
  /** Modules that must be loaded before; names with underscores. */
  readonly depends: readonly string[];
  /** Modules that it works better with when they are loaded before, such as an implementation of crc32c. */
  readonly softDepends: readonly string[];
}

/** One spelling for a module: file names have dashes where the kernel has underscores. */
export const moduleName = (fileName: string): string =>
  (fileName.split('/').pop() ?? '').replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');

export const readModuleInfo = (file: Buffer): ModuleInfo => {
  const section = isElf64(file) ? readElfSection(file, '.modinfo') : undefined;
  if (section === undefined) throw new Error('not a kernel module');
  const fields = section.toString('latin1').split('\0');
  const values = (key: string): string[] =>
    fields.filter((field) => field.startsWith(`${key}=`)).map((field) => field.slice(key.length + 1));
  return {
    depends: values('depends').flatMap((list) => names(list, ',')),
    softDepends: values('softdep').flatMap((text) => names(beforeLoading(text), ' ')),
  };
};

// `pre: a b post: c`; one field may hold several lists.
const beforeLoading = (text: string): string =>
  [...text.matchAll(/pre:([^:]*)(?=\s(?:pre|post):|$)/g)].map((match) => match[1]).join(' ');

const names = (list: string, separator: string): string[] =>
  list
    .split(separator)
    .filter((name) => name.trim() !== '')
    .map((name) => moduleName(name.trim()));
