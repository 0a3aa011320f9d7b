/** One machine to plan: what is decided about it before its command line is. */
import type {NetworkMode} from '../../../model/network.js';
import type {Architecture} from '../../common/host.js';
import type {Candidate} from './candidates.js';

export interface MachineRequest {
  /** Shows in the VMM's command line, by which leftovers are found. */
  readonly marker: string;
  readonly hostName: string;
  readonly architecture: Architecture;
  readonly candidate: Candidate;
  readonly kernelPath: string;
  readonly initramfsPath: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly network: NetworkMode;
  /** Null: the accelerator's probe, which has no disk. */
  readonly disks: {
    readonly rootPath: string;
    /** Null: writes stay in the guest's memory. */
    readonly upperPath: string | null;
    readonly persistPath: string | null;
  } | null;
  /** Null: it boots for itself alone. Machines of templates have all disks there are, so that their devices are the same. */
  readonly template: TemplateRole | null;
  /** The VMM may be unable to open our private paths: hand it the kernel as an open file (Linux only). */
  readonly openKernelByFd: boolean;
}

export type TemplateRole =
  /** It will be saved through a socket in this folder. */
  | {readonly role: 'source'; readonly folder: string}
  /** It goes on from what was saved in this file. */
  | {readonly role: 'copy'; readonly savedPath: string};
