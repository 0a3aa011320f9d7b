/** What the makers of images are given of this machine, and what they share. */
import type {Containers, Env} from '../containers/settings.js';
import type {RunOptions, RunResult} from '../process/run.js';
import type {ImageLimits} from './image-store.js';

export interface ImageHost {
  readonly imagesFolder: string;
  readonly containersFolder: string;
  readonly env: Env;
  readonly isRoot: boolean;
  /** The user's name, for messages. */
  readonly user: string;
  readonly limits: ImageLimits;
  /** The volume in whose buildah storage images are kept, on macOS; null where each becomes an erofs file. */
  readonly storageVolume: (() => Promise<string>) | null;
  readonly withLock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

/** A host program of one making: what it is called in messages, when it must end, who hears its lines. */
export type Step = Pick<RunOptions, 'phase' | 'timeoutMs' | 'signal' | 'onLine' | 'cwd'>;

/** A storage of buildah's, and a folder for what is gone afterwards. */
export interface BuildahStorage {
  readonly scratch: string;
  readonly containers: Containers;
  readonly buildah: (args: readonly string[], step: Step) => Promise<RunResult>;
}
