import type {LauncherReport} from '../launcher/launcher.js';
import type {ImageLanguage} from '../model/language.js';
import type {MissingProgram} from './setup-tools.js';

/** What is missing, or was and has been mended. */
export interface SetupReport {
  readonly dryRun: boolean;
  readonly packages: readonly MissingProgram[];
  /** `ready`, `missing`, the release of the kernel that was fetched, or `bundled` with the launcher. */
  readonly kernel: string;
  readonly images: readonly ImageReport[];
  /** Null where no boot was asked for. */
  readonly launcher: LauncherReport | null;
}

export interface ImageReport {
  readonly language: ImageLanguage;
  readonly reference: string;
  readonly state: 'ready' | 'missing' | 'pulled' | 'built';
}
