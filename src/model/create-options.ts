import type {LanguageName} from './language.js';
import type {LauncherChoice} from './launcher-name.js';
import type {NetworkMode} from './network.js';

/** What a new VM shall be. */
export interface CreateOptions {
  readonly language: LanguageName | null;
  /** OCI reference or a local one; null: the language's. */
  readonly image: string | null;
  readonly launcher: LauncherChoice;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly network: NetworkMode;
  readonly persist: boolean;
  /** The volume behind `/persist`; null: one of the VM's own name, where `persist` asks for one. */
  readonly volume: string | null;
  /** Size of the disk for the VM's writes; null: the launcher's own choice. */
  readonly diskMib: number | null;
  /** With krunvm: `/in` and `/out` are folders of the host. */
  readonly guestVolumes: boolean;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value` for every command. */
  readonly env: readonly string[];
  /** 0: never. */
  readonly idleTimeoutMs: number;
}
