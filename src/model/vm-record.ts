import type {LanguageName} from './language.js';
import type {LauncherName} from './launcher-name.js';
import type {NetworkMode} from './network.js';

export const vmStatuses = [
  'provisioning',
  'ready',
  'booting',
  'running',
  'stopping',
  'stopped',
  'failed',
  'cleaning',
] as const;
export type VmStatus = (typeof vmStatuses)[number];

/** What is shown of a VM: also that its monitor or its guest does not answer. */
export const shownStatuses = [...vmStatuses, 'unresponsive'] as const;
export type ShownStatus = (typeof shownStatuses)[number];

/** A process that can be told from a later one with the same pid. */
export interface ProcessRef {
  readonly pid: number;
  /** When it started, as the operating system writes it: compared for equality only. */
  readonly startedAt: string;
}

export interface VmRecord {
  readonly schema: 1;
  /** `<language>-<8 characters>`, or `vm-<8 characters>` for an image without a language. */
  readonly id: string;
  readonly name: string | null;
  readonly language: LanguageName | null;
  readonly image: {readonly reference: string; readonly digest: string | null};
  readonly launcher: LauncherName;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly network: NetworkMode;
  readonly persist: boolean;
  /** The name of what lies behind `/persist`; null where `persist` is false. */
  readonly volume: string | null;
  /** Size of the disk for its writes; null: the launcher's own choice. */
  readonly diskMib: number | null;
  /** `/in` and `/out` are folders of the host, as AGENT_ENABLE_GUEST_VOLUMES said when the VM was made. */
  readonly guestVolumes: boolean;
  /** Made by `vm temp`: removed as soon as its process is gone. */
  readonly ephemeral: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value` for every command in this VM. */
  readonly env: readonly string[];
  /** 0: never. */
  readonly idleTimeoutMs: number;
  readonly status: VmStatus;
  /** Why the status is `failed`. */
  readonly failure: string | null;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly lastRunAt: string | null;
  /** The process that carries out the present transition, or holds the VMM. */
  readonly owner: ProcessRef | null;
  /** Processes that the VM was taken from, until they have let go of it. */
  readonly evicted: readonly ProcessRef[];
  readonly vmm: ProcessRef | null;
  /** Path of the socket where the monitor listens, which is the owner then; null where there is none. */
  readonly socket: string | null;
  /** Why it last went down, or null. */
  readonly ended: string | null;
}
