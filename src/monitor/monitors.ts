/**
 * The monitor: one small process per running VM, which owns the VMM and the channel to the guest, so that a VM outlives the
 * command that booted it. This is what the services know of it. May import: guest, state, process, model.
 */
import type {Guest, Session} from '../guest/guest.js';
import type {Progress} from '../model/progress.js';
import type {WindowSize} from '../model/terminal.js';

export interface MonitorStatus {
  readonly version: number;
  readonly accelerator: string;
  /** How long the boot took, in milliseconds. */
  readonly bootMs: number;
  /** False where the guest has given no sign of life for a while. */
  readonly isResponsive: boolean;
  /** Sessions that clients hold. */
  readonly sessions: number;
  readonly detached: readonly DetachedSession[];
}

/** A terminal session that goes on without a client. */
export interface DetachedSession {
  readonly session: number;
  readonly since: string;
}

/** A client's connection to a running VM. */
export interface RunningGuest {
  readonly guest: Guest;
  /** As of the time of connecting. */
  readonly status: MonitorStatus;
  /** Lets a terminal session go on without us; resolves when the monitor has taken it. */
  readonly detach: (session: Session) => Promise<void>;
  /** Takes up a session that goes on without a client. Its exit rejects, or says 125, where there is none such. */
  readonly attach: (session: number, size: WindowSize) => Session;
  /** Ends the connection, and with it the sessions that are open. */
  readonly close: () => void;
}

export interface MonitorPlace {
  readonly id: string;
  /** Path of its socket. */
  readonly socket: string;
  /** Of the VM: holds the console's last lines, for errors. */
  readonly folder: string;
}

export interface StartOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Monitors {
  /** Where the monitor of a VM listens; makes the folder, private to the user. */
  readonly socketOf: (id: string) => string;
  /** Removes the socket that a monitor has left which was killed. */
  readonly tidy: (id: string) => void;
  /** Starts a monitor and waits until its VM is up. Throws what kept it from booting. */
  readonly start: (
    vm: {readonly id: string; readonly folder: string},
    options: StartOptions,
  ) => Promise<void>;
  /** Throws MonitorGoneError where nobody listens. */
  readonly connect: (place: MonitorPlace, options: {readonly signal: AbortSignal}) => Promise<RunningGuest>;
  /** Undefined where it does not answer in time. */
  readonly status: (place: MonitorPlace, timeoutMs: number) => Promise<MonitorStatus | undefined>;
}
