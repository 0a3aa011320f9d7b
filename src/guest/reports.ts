import {describeErrno} from './errno.js';
import {decodeFields, safeU64} from './field-decoder.js';
import type {ExitStatus, Hello} from './guest.js';
import {printable, printableAscii} from './printable.js';
import {LimitBit, MAX_SIGNAL, protocolVersion, StreamNumber, Tag} from './protocol.js';
import {protocolError} from './protocol-error.js';

const NAME_LENGTH = 64;
const REASON_LENGTH = 300;

/** EXIT as it came: the errno is for callers that branch on it, `status` is for users. */
export interface ExitReport {
  readonly status: ExitStatus;
  readonly errno: number | null;
}

export const decodeHello = (payload: Buffer): Hello => {
  const fields = decodeFields(payload);
  const version = fields.u32(Tag.VERSION);
  if (version !== protocolVersion) {
    throw protocolError(`it speaks version ${version ?? 'none'}, not ${protocolVersion}`);
  }
  return {
    version,
    kernel: printableAscii(fields.string(Tag.KERNEL) ?? NOTHING, NAME_LENGTH),
    machine: printableAscii(fields.string(Tag.MACHINE) ?? NOTHING, NAME_LENGTH),
    memoryBytes: fields.u64(Tag.MEMORY) ?? 0,
    phases: fields.strings(Tag.PHASE).map(decodePhase),
  };
};

export const decodeExit = (payload: Buffer): ExitReport => {
  const fields = decodeFields(payload);
  const errno = fields.u32(Tag.ERRNO) ?? null;
  return {
    status: {
      ...decodeEnding(fields.u32(Tag.CODE), fields.u32(Tag.SIGNAL)),
      oom: fields.u32(Tag.OOM) === 1,
      cpuMs: (fields.u64(Tag.CPU) ?? 0) / 1000,
      maxRssKib: fields.u64(Tag.MAX_RSS) ?? 0,
      elapsedMs: toMs(fields.u64(Tag.ELAPSED)),
      limits: decodeLimits(fields.u32(Tag.LIMITS) ?? 0),
      hasOut: toBoolean(fields.u32(Tag.OUT)),
      reason: describeReason(fields.string(Tag.REASON), errno),
    },
    errno,
  };
};

/** The guest gives credit for standard input only: the bytes of it. */
export const decodeWindow = (payload: Buffer): number => {
  const stream = payload.readUInt8(0);
  if (stream !== StreamNumber.stdin) throw protocolError(`WINDOW names stream ${stream}`);
  return payload.readUInt32LE(1);
};

export const decodeErrorText = (payload: Buffer): string => printable(payload, REASON_LENGTH);

const toMs = (microseconds: number | undefined): number | null =>
  microseconds === undefined ? null : microseconds / 1000;

const toBoolean = (value: number | undefined): boolean | null => (value === undefined ? null : value === 1);

const decodeLimits = (bits: number): ExitStatus['limits'] => ({
  processes: (bits & LimitBit.processes) !== 0,
  disk: (bits & LimitBit.disk) !== 0,
});

const NOTHING = Buffer.alloc(0);

const decodePhase = (value: Buffer): Hello['phases'][number] => {
  if (value.length < 8) throw protocolError('field PHASE is cut short');
  return {
    name: printableAscii(value.subarray(8), NAME_LENGTH),
    atMs: safeU64(value, 'field PHASE') / 1000,
  };
};

const decodeEnding = (
  code: number | undefined,
  signal: number | undefined,
): Pick<ExitStatus, 'code' | 'signal'> => {
  if ((code === undefined) === (signal === undefined))
    throw protocolError('EXIT needs either CODE or SIGNAL');
  if (code !== undefined && code > 255) throw protocolError(`EXIT has code ${code}`);
  if (signal !== undefined && (signal < 1 || signal > MAX_SIGNAL)) {
    throw protocolError(`EXIT has signal ${signal}`);
  }
  return {code: code ?? null, signal: signal ?? null};
};

const describeReason = (reason: Buffer | undefined, errno: number | null): string | null => {
  const parts = [
    ...(reason === undefined ? [] : [printable(reason, REASON_LENGTH)]),
    ...(errno === null ? [] : [describeErrno(errno)]),
  ];
  return parts.length > 0 ? parts.join(': ') : null;
};
