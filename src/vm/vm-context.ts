/** What the services need of the world outside. Built once per process in src/context.ts; tests build their own. */
import type {ImageStore} from '../image/image-store.js';
import type {Launcher, TemplateSpec} from '../launcher/launcher.js';
import type {LanguageName} from '../model/language.js';
import type {LauncherName} from '../model/launcher-name.js';
import type {Progress} from '../model/progress.js';
import type {ProcessRef} from '../model/vm-record.js';
import type {Monitors} from '../monitor/monitors.js';
import type {StatePaths} from '../state/state-paths.js';
import type {VmReader, VmStore} from '../state/vm-store.js';

export interface VmContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly paths: StatePaths;
  /** Opened at the first call; makes the state directory where it is missing. */
  readonly store: () => VmStore;
  /** For commands that change what there is; undefined where nothing was ever stored, and then nothing is made. */
  readonly storeIfAny: () => VmStore | undefined;
  /** For commands that change nothing; undefined where nothing was ever stored. */
  readonly storeToRead: () => VmReader | undefined;
  readonly images: ImageStore;
  readonly launcher: (name: LauncherName) => Launcher;
  readonly templates: TemplateUse;
  readonly monitors: Monitors;
  readonly self: ProcessRef;
  readonly isAlive: (ref: ProcessRef) => boolean;
  readonly now: () => Date;
  /** Eight characters of 0-9 and a-z. */
  readonly randomId: () => string;
  readonly progress: Progress;
  /** Tells the user a sentence that is no error, and yet not what one might think. */
  readonly notice: (text: string) => void;
  /** Aborted by Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
}

/** How this process uses templates: VMs that were booted once and saved, so that others go on from there. */
export interface TemplateUse {
  /** False: VMs always boot. */
  readonly isOn: boolean;
  /**
   * Has a process of its own make one, unless that is being done or has failed lately. Returns at once, and never fails: a
   * template is never needed.
   */
  readonly makeLater: (order: TemplateOrder) => void;
}

export interface TemplateOrder {
  readonly launcher: LauncherName;
  /** Whose runtime it shall have in memory; null: that of the image. */
  readonly language: LanguageName | null;
  readonly spec: TemplateSpec;
}
