/**
 * What the host can ask of a guest agent. The guest is hostile: everything behind this interface is checked and
 * bounded here, so that callers may use it as data. May import: model.
 */
import type {Readable, Writable} from 'node:stream';
import type {WindowSize} from '../model/terminal.js';

export interface Hello {
  readonly version: number;
  /** `uname -r` of the guest: printable ASCII, at most 64 characters. */
  readonly kernel: string;
  readonly machine: string;
  readonly memoryBytes: number;
  /** Milliseconds since the agent started, in the order the agent reached them. */
  readonly phases: readonly {readonly name: string; readonly atMs: number}[];
}

export interface ExecRequest {
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Empty: root. */
  readonly user: string;
  /** The command gets a terminal of this size; all it prints is standard output then. */
  readonly terminal?: WindowSize | undefined;
}

export interface ExitStatus {
  /** 0 to 255, or null when a signal ended the command. */
  readonly code: number | null;
  readonly signal: number | null;
  readonly oom: boolean;
  readonly cpuMs: number;
  readonly maxRssKib: number;
  /** From the fork to the command's end, as the guest measured it; null where it was not started. */
  readonly elapsedMs: number | null;
  /** Bounds of the guest that were hit. */
  readonly limits: {readonly processes: boolean; readonly disk: boolean};
  /** Whether `/out` holds anything; null where the guest did not say. */
  readonly hasOut: boolean | null;
  /** Set when the guest agent could not start or finish the command: printable, bounded. */
  readonly reason: string | null;
}

export type SignalScope = 'command' | 'everything';

/**
 * One command in the guest. Each stream has its own credit: one that nobody reads stops its writer in the guest and
 * nothing else. `exit` resolves once, after the last byte of both streams has been pushed; it rejects when the channel
 * breaks first. The output streams end with it in both cases, after what they hold; the input takes and drops what is
 * written then. Nothing of this has to be awaited or read.
 */
export interface Session {
  /** Its number on this channel. */
  readonly id: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exit: Promise<ExitStatus>;
  /**
   * Sends a signal; after the session's end it does nothing. After SIGINT, SIGTERM or SIGKILL to everything, `exit` waits until
   * no process of the session is left.
   */
  readonly kill: (signal: number, scope: SignalScope) => void;
  /** Of the terminal; without one it does nothing. */
  readonly resize: (size: WindowSize) => void;
}

export interface TransferLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export interface Guest {
  readonly hello: Hello;
  /** Throws a usage error for what no guest could take, and the reason when the channel has ended. */
  readonly exec: (request: ExecRequest) => Session;
  /**
   * Unpacks a tar stream into a folder of the guest, made where it is missing; files belong to `user`. However it ends,
   * `tar` is destroyed then. A guest that makes no progress for 60 s is given up with DEADLINE.
   */
  readonly put: (
    path: string,
    tar: Readable,
    options: TransferLimits & {readonly user: string},
  ) => Promise<void>;
  /**
   * The content of a folder, or one file, as a tar stream; an error of the guest destroys the stream, and so do 60 s
   * without progress. Destroying it ends the transfer. The bytes are unchecked tar: `unpackTo` reads them.
   */
  readonly get: (path: string, options: TransferLimits & {readonly isFile?: boolean}) => Readable;
  /**
   * Sets the guest's clock and feeds its random number generator; with 32 hexadecimal digits, also its machine id. This
   * and what follows rejects with DEADLINE.
   */
  readonly sync: (timeoutMs: number, machineId?: string) => Promise<void>;
  readonly ping: (timeoutMs: number) => Promise<void>;
  /** Ends everything in the guest, syncs its file systems and powers off; resolves when the file systems are synced. */
  readonly shutdown: (options: {readonly graceMs: number; readonly timeoutMs: number}) => Promise<void>;
  /**
   * Ends every process in the guest and has it stand still, ready to be saved; nothing may be open. What goes on from there
   * takes START only (`encodeStart`), and nothing more can be asked here.
   */
  readonly suspend: (timeoutMs: number) => Promise<void>;
  /** Resolves when the channel has ended, with the reason where it was not asked for. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Ends the channel; open sessions are rejected. */
  readonly close: () => void;
}
