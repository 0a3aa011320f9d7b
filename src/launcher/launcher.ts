/**
 * The contract of a launcher. A launcher knows one VMM; nothing above it knows which.
 * May import: guest, image, process, model (see docs/architecture.md).
 */
import type {Duplex} from 'node:stream';
import type {Guest} from '../guest/guest.js';
import type {GuestImage} from '../model/guest-image.js';
import type {LauncherName} from '../model/launcher-name.js';
import type {NetworkMode} from '../model/network.js';
import type {Progress} from '../model/progress.js';
import type {ProcessRef} from '../model/vm-record.js';

export interface MachineSpec {
  readonly id: string;
  /** The VM's own folder, private to the user; the launcher keeps its disks there. */
  readonly folder: string;
  /** Folder of the volume behind `/persist`, or null. It outlives `folder` with `clean --keep-persist`. */
  readonly persistFolder: string | null;
  readonly image: GuestImage;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly network: NetworkMode;
  /** Nothing of it outlives its one run; where the launcher can, no disk is made for its writes unless one is asked for. */
  readonly ephemeral: boolean;
  /** Size of the disk for its writes; null, or none: the launcher's own choice. */
  readonly diskMib?: number | null;
  /** `/in` and `/out` are folders of the host, where the launcher can share folders. */
  readonly guestVolumes: boolean;
}

export interface LaunchOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface BootOptions extends LaunchOptions {
  /** Start from a template where a sound one fits; without it the VM boots. */
  readonly mayRestore?: boolean;
}

/** What VMs must have in common to start from one template. */
export type TemplateSpec = Pick<MachineSpec, 'image' | 'cpus' | 'memoryMib' | 'network'>;

/** A VM that was booted once and saved, so that others go on from there. */
export interface Template extends Omit<TemplateSpec, 'image'> {
  /** Of its image. */
  readonly digest: string;
  /** What it takes on disk. */
  readonly sizeBytes: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

export interface MakeTemplateOptions extends LaunchOptions {
  /** Works in the guest before it is saved, so that what it needs first lies in its memory. */
  readonly warmUp: (guest: Guest) => Promise<void>;
}

/** Templates are never needed: one that is missing, stale or damaged costs a boot and nothing else. */
export interface Templates {
  /** Those that VMs would start from now. Changes nothing. */
  readonly list: () => Promise<Template[]>;
  readonly has: (spec: TemplateSpec) => Promise<boolean>;
  /**
   * Makes one, proves it by starting a VM from it, and only then lets others use it; keeps a sound one that is there.
   * Where another process is making it, waits for that. Throws what kept it from being made.
   */
  readonly make: (spec: TemplateSpec, options: MakeTemplateOptions) => Promise<Template>;
}

/** A booted VMM: kernel and agent may still be starting. */
export interface Machine {
  /** The byte stream to the guest agent. */
  readonly channel: Duplex;
  readonly vmm: ProcessRef;
  /** `kvm`, `hvf`, `tcg`. */
  readonly accelerator: string;
  /** The template that it goes on from; null where it boots. */
  readonly restored: Restored | null;
  /** The last lines of the console and of the VMM's own words, printable, bounded. */
  readonly lastLines: () => string[];
  /** Resolves when the VMM has ended, with what it said; never rejects. */
  readonly exited: Promise<VmmExit>;
  /** Ends the VMM now. Calling it again, or after its end, does nothing. */
  readonly kill: () => Promise<void>;
}

/** A template in use. Where its VM does not answer, or it was not sound, a boot takes its place. */
export interface Restored {
  /** To be asked once the agent has answered: whether what was loaded is what had been saved. */
  readonly isSound: () => boolean;
  /** No VM starts from it any more. */
  readonly discard: () => Promise<void>;
}

export interface VmmExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface LauncherReport {
  readonly launcher: LauncherName;
  /** True only after a guest has booted. */
  readonly usable: boolean;
  readonly accelerator: string | null;
  readonly findings: readonly Finding[];
}

export interface Finding {
  readonly ok: boolean;
  /** What was looked at, for example `qemu-system-x86_64`. */
  readonly subject: string;
  /** What was seen, for example `8.2.1`. */
  readonly seen: string;
  /** How to mend it, where `ok` is false. */
  readonly mend?: string;
}

/** What not every launcher can do, of a VM that is to be made. */
export interface Wanted {
  readonly network: NetworkMode;
  readonly diskMib?: number | null;
}

export interface Launcher {
  readonly name: LauncherName;
  /** Tells by booting whether this launcher works here. Calling it again probes again. */
  readonly examine: (options: LaunchOptions) => Promise<LauncherReport>;
  /**
   * Throws where a VM with this network cannot work: LAUNCHER_UNAVAILABLE, KERNEL_NOT_FOUND, and ISOLATION_UNAVAILABLE
   * where `none` cannot be enforced; USAGE where it cannot bound a VM's writes as asked. Boots nothing; a second call
   * looks again.
   */
  readonly check: (wanted: Wanted) => Promise<void>;
  /** Whether guests boot here: found out by booting one where that is in doubt, then remembered until the next reboot. */
  readonly isProven: (options: LaunchOptions) => Promise<boolean>;
  /** Makes the disks that the VM needs. What is there already is kept: a second call changes nothing. */
  readonly provision: (spec: MachineSpec, options: LaunchOptions) => Promise<void>;
  /** Starts the VMM. Two boots of one VM at once are the caller's error: the record's status prevents them. */
  readonly boot: (spec: MachineSpec, options: BootOptions) => Promise<Machine>;
  /** Ends the VMM that a dead process left. What has ended already is success. */
  readonly end: (vm: {readonly id: string}) => Promise<void>;
  /** Removes what the launcher keeps of a VM outside of its folders, its VMM included. What is gone is success. */
  readonly remove: (vm: {readonly id: string}, options: LaunchOptions) => Promise<void>;
  /** Removes what it keeps of images other than these. What is in use stays. */
  readonly forgetImages: (options: LaunchOptions & {readonly except: readonly string[]}) => Promise<void>;
  /** Null where it cannot save VMs. */
  readonly templates: () => Promise<Templates | null>;
}
