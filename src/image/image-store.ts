/**
 * The guest images: OCI images and images built here, each made into one root file system that any number of VMs share.
 * On macOS they stay in buildah's storage on krunvm's volume, and only their records are here.
 * This folder owns references, the store on disk, buildah and the builds; it may import model, process and containers.
 */
import type {GuestImage} from '../model/guest-image.js';
import type {ImageLanguage, LanguageName} from '../model/language.js';
import type {Progress} from '../model/progress.js';
import type {BrokenImage} from './catalog.js';

export type {BrokenImage} from './catalog.js';

export interface ImageStore {
  /** Whether images can be built on this machine, and not only pulled. */
  readonly canBuild: boolean;
  /**
   * The image that a reference or the beginning of a digest (4 digits or more) means, if it is here and whole.
   * Changes nothing. Throws USAGE for what is no reference, and for a beginning that several digests share.
   */
  readonly find: (referenceOrDigest: string) => GuestImage | undefined;
  /** All images, newest first, and what is damaged. Changes nothing; an absent folder is an empty store. */
  readonly list: () => ImageList;
  /**
   * The canonical reference that a VM will use: the one named, else the image built here for the language, else the
   * language's default in its registry. Changes nothing. Throws USAGE for what is no reference, and for neither.
   */
  readonly resolve: (wanted: WantedImage) => string;
  /**
   * The image if it is here (no network), and still in the storage that has it; else pulled. Throws as `pull` does, and IMAGE_NOT_FOUND for a
   * `localhost/` reference that is not here.
   */
  readonly ensure: (options: EnsureOptions) => Promise<GuestImage>;
  /**
   * Asks the registry (or reads the file) even if the reference is here; what it leads to is made at most once.
   * Throws USAGE, REGISTRY_UNREACHABLE (no answer), IMAGE_NOT_FOUND (unknown or denied there), IMAGE_UNUSABLE (for
   * another architecture, damaged), DISK_FULL, DEADLINE, INTERRUPTED, PROCESS_FAILED (a host program is missing or
   * failed), and on macOS LAUNCHER_UNAVAILABLE (krunvm's volume is not there).
   */
  readonly pull: (options: PullOptions) => Promise<GuestImage>;
  /**
   * Builds a language's image from the host distribution's packages; it becomes that language's default.
   * Throws BUILD_FAILED with the last lines (on macOS at once: nothing can be built there), DISK_FULL, DEADLINE,
   * INTERRUPTED, PROCESS_FAILED.
   */
  readonly buildLanguage: (options: BuildLanguageOptions) => Promise<GuestImage>;
  /** Builds a Containerfile and tags the result `localhost/…`. Throws USAGE and as `buildLanguage`. */
  readonly buildContainerfile: (options: BuildContainerfileOptions) => Promise<GuestImage>;
  /**
   * Takes a reference away, and the image with the last one; a digest takes all of them. Throws IMAGE_NOT_FOUND, and
   * IMAGE_IN_USE where the image would go but is in use.
   */
  readonly remove: (options: RemoveOptions) => Promise<RemovedImage>;
  /**
   * Removes the images that no reference leads to any more, as a pull of a moved tag or a new build leaves them, and
   * returns their digests. What is in use stays.
   */
  readonly prune: (options: Pick<RemoveOptions, 'usedBy'>) => Promise<readonly string[]>;
  /** Removes what killed makers left. Commands that write do it by themselves. */
  readonly reap: () => Promise<void>;
}

export interface ImageList {
  readonly images: readonly ListedImage[];
  readonly broken: readonly BrokenImage[];
}

export interface ListedImage extends GuestImage {
  /** The languages that use it unless told otherwise, because it was built here for them. */
  readonly defaultFor: readonly ImageLanguage[];
}

export interface WantedImage {
  readonly language?: LanguageName | null | undefined;
  /** As the user wrote it. */
  readonly reference?: string | null | undefined;
}

interface Work {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** What the user should know though it went well, one sentence each. */
  readonly onWarning?: (text: string) => void;
}

export interface PullOptions extends Work {
  readonly reference: string;
}

export interface EnsureOptions extends PullOptions {
  /** Only chooses the hints of errors. */
  readonly language?: LanguageName | null | undefined;
}

export interface BuildLanguageOptions extends Work {
  readonly language: ImageLanguage;
}

export interface BuildContainerfileOptions extends Work {
  /** Path of the Containerfile. */
  readonly file: string;
  /** Path of the folder that COPY reads from. */
  readonly context: string;
  /** `name`, `name:tag` or `localhost/name:tag`. */
  readonly tag: string;
  /** `NAME=value` for its ARGs. */
  readonly buildArgs?: readonly string[];
}

export interface RemoveOptions {
  /** A reference, or a digest or its beginning. */
  readonly reference: string;
  /** Asked before an image goes: ids of the VMs that use the digest. */
  readonly usedBy: (digest: string) => readonly string[] | Promise<readonly string[]>;
  /** Told where the image stays though its references are gone, because a container of somebody's uses it. */
  readonly onWarning?: (text: string) => void;
}

export interface RemovedImage {
  readonly untagged: readonly string[];
  /** Null where other references still lead to the image, and where it had to stay. */
  readonly deletedDigest: string | null;
}

/** The longest each step may take, in milliseconds. */
export interface ImageLimits {
  readonly pullMs: number;
  /** Until a registry says its first word about the image. */
  readonly contactMs: number;
  readonly buildMs: number;
  /** Any other step: unpacking, making the root image, removing. */
  readonly stepMs: number;
}

export const defaultLimits: ImageLimits = {
  pullMs: 15 * 60_000,
  contactMs: 40_000,
  buildMs: 30 * 60_000,
  stepMs: 10 * 60_000,
};
