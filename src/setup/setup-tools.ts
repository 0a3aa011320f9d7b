/**
 * What `agent setup` brings to a machine: system packages, a guest kernel, guest images, and a guest that boots.
 * This folder decides and orders; the work itself is done by scripts/linux or scripts/macos, image and launcher.
 */
import type {ImageStore} from '../image/image-store.js';
import type {Launcher} from '../launcher/launcher.js';
import type {Progress} from '../model/progress.js';

/** A program of the system that is not there. */
export interface MissingProgram {
  readonly name: string;
  /** What it is needed for. */
  readonly purpose: string;
}

export interface SystemPackages {
  /** Changes nothing. */
  readonly missing: () => Promise<readonly MissingProgram[]>;
  /** Says what it installs, asks unless `assumeYes`, and installs it. Nothing missing: does nothing. */
  readonly install: (options: {readonly assumeYes: boolean}) => Promise<void>;
}

export interface KernelSource {
  /** Downloads the distribution's small kernel for guests; its release. */
  readonly fetch: () => Promise<string>;
  /** Asks the distribution's mirrors what there is. */
  readonly updateLists: () => Promise<void>;
}

export interface SetupTools {
  readonly packages: SystemPackages;
  readonly launcher: Pick<Launcher, 'check' | 'examine'>;
  /** Null where the launcher brings its own kernel. */
  readonly kernel: KernelSource | null;
  readonly images: Pick<ImageStore, 'canBuild' | 'find' | 'resolve' | 'pull' | 'buildLanguage'>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}
