import type {Origin} from './exit-code.js';
import type {LanguageName} from './language.js';
import type {VmRecord} from './vm-record.js';

/** Milliseconds by phase: `image`, `provision`, `boot`, `exec`, `cleanup`. */
export type Phases = Readonly<Record<string, number>>;

/** What became of one command. */
export interface Execution {
  readonly exitCode: number;
  readonly origin: Origin;
  /** The signal that ended the command, or null. */
  readonly signal: number | null;
  readonly timedOut: boolean;
  readonly truncated: boolean;
  /** The bound that was hit, or null. */
  readonly limit: 'memory' | 'processes' | 'disk' | 'output' | 'time' | null;
  /** The language that `--cmd` was run as, because no shell could parse it, or null. */
  readonly interpretedAs: LanguageName | null;
  /** Why the command did not start, or null. */
  readonly reason: string | null;
  readonly durationMs: number;
  readonly cpuMs: number | null;
  readonly maxRssKib: number | null;
  /** What /out held, or null where it was not asked for. */
  readonly out: OutCount | null;
}

export interface OutCount {
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  /** Links, which stay in the guest. Devices, sockets and pipes do too, uncounted. */
  readonly skipped: number;
}

export interface RunReport extends Execution {
  readonly record: VmRecord;
  readonly runId: string;
  /** The run's own files; null for a temporary VM, which leaves none. */
  readonly stdoutPath: string | null;
  readonly stderrPath: string | null;
  readonly accelerator: string;
  readonly imageDigest: string;
  readonly phases: Phases;
}
