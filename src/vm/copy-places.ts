/** What the words of `vm cp` mean, before anything is looked at. */
import {basename, posix} from 'node:path';
import {usageError} from '../model/errors.js';

/** A path in a guest. */
export interface GuestPath {
  /** Absolute, without a slash at its end. */
  readonly path: string;
  /** It ended with a slash: it can only be a folder. */
  readonly isFolder: boolean;
  /** It ended with `/.`: what the folder holds is meant, and not the folder itself. */
  readonly isContent: boolean;
  /** As it was typed, for messages and log lines. */
  readonly typed: string;
}

/** A path on this machine, or standard input or output. */
export type HostPlace =
  | {readonly kind: 'path'; readonly path: string; readonly isContent: boolean}
  | {readonly kind: 'stream'};

export type CopyPlan =
  | {
      readonly direction: 'in';
      readonly vm: string;
      readonly sources: readonly HostPlace[];
      readonly target: GuestPath;
    }
  | {
      readonly direction: 'out';
      readonly vm: string;
      readonly sources: readonly GuestPath[];
      readonly target: HostPlace;
    };

const USE = 'agent vm cp VM:/path ./here, or agent vm cp ./here VM:/path';

/** The last word is the target. Throws USAGE where not exactly one side is in one VM. */
export const planCopy = (words: readonly string[]): CopyPlan => {
  const places = words.map(parsePlace);
  const target = places.at(-1);
  const sources = places.slice(0, -1);
  if (!target || sources.length === 0) throw usageError('A source and a target are needed.', USE);
  if (target.side === 'guest') {
    const inside = sources.find((source) => source.side === 'guest');
    if (inside) throw usageError('Both sides are in a VM.', 'copy to this machine first, and from there');
    return {direction: 'in', vm: target.vm, sources: hostSources(sources), target: target.path};
  }
  const [first] = sources;
  if (first?.side !== 'guest') throw usageError('Neither side is in a VM.', USE);
  return {
    direction: 'out',
    vm: first.vm,
    sources: sources.map((source) => inSameVm(source, first.vm)),
    target: target.place,
  };
};

type Side =
  | {readonly side: 'guest'; readonly vm: string; readonly path: GuestPath}
  | {readonly side: 'host'; readonly place: HostPlace};

/** As docker does it: what has a colon before any slash names a VM; `./a:b` is a file of this machine. */
const parsePlace = (word: string): Side => {
  const [, vm, path] = /^([A-Za-z0-9][A-Za-z0-9_.-]*):(.*)$/s.exec(word) ?? [];
  if (vm !== undefined && path !== undefined) return {side: 'guest', vm, path: parseGuestPath(word, path)};
  if (word === '') throw usageError('A path is empty.', USE);
  if (word === '-') return {side: 'host', place: {kind: 'stream'}};
  return {side: 'host', place: {kind: 'path', path: word, isContent: basename(word) === '.'}};
};

const parseGuestPath = (word: string, path: string): GuestPath => {
  if (!path.startsWith('/')) {
    throw usageError(
      `'${word}' has no absolute path behind the VM.`,
      `begin it with a slash: ${word.replace(':', ':/')}`,
      'a file of this machine with a colon in its name: ./NAME',
    );
  }
  const normal = posix.normalize(path);
  const isFolder = normal.endsWith('/') || path.endsWith('/.');
  return {
    path: normal === '/' ? '/' : normal.replace(/\/$/, ''),
    isFolder,
    isContent: path.endsWith('/.') || normal === '/',
    typed: word,
  };
};

const hostSources = (sources: readonly Side[]): HostPlace[] => {
  const places = sources.flatMap((source) => (source.side === 'host' ? [source.place] : []));
  if (places.length > 1 && places.some(({kind}) => kind === 'stream'))
    throw usageError('Standard input does not go together with files.', 'copy them one after the other');
  return places;
};

const inSameVm = (source: Side, vm: string): GuestPath => {
  if (source.side === 'guest' && source.vm === vm) return source.path;
  throw usageError('The sources are not all in one VM.', 'copy them one after the other');
};
