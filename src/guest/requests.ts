import {randomBytes} from 'node:crypto';
import {usageError} from '../model/errors.js';
import type {WindowSize} from '../model/terminal.js';
import {
  bytesField,
  encodeFields,
  type Field,
  fieldsSize,
  stringField,
  u32Field,
  u64Field,
} from './field-encoder.js';
import type {ExecRequest, SignalScope, TransferLimits} from './guest.js';
import {
  MACHINE_ID_BYTES,
  MAX_PAYLOAD,
  MAX_SIGNAL,
  SignalScopeNumber,
  type StreamNumber,
  Tag,
} from './protocol.js';

const ENTROPY_BYTES = 64;

/** The payload of EXEC. Throws a usage error for what no guest could take; nothing has been sent then. */
export const encodeExec = ({argv, env, cwd, user, terminal}: ExecRequest): Buffer => {
  if (argv.length === 0) throw usageError('There is no command to run.');
  for (const variable of env) checkVariable(variable);
  if (!cwd.startsWith('/')) throw usageError(`The working directory '${cwd}' is not an absolute path.`);
  return encodeRequest('command and its environment', [
    ...argv.map((argument) => checkedField(Tag.ARG, 'An argument of the command', argument)),
    ...env.map((variable) => checkedField(Tag.ENV, 'An environment variable', variable)),
    checkedField(Tag.CWD, 'The working directory', cwd),
    ...userFields(user),
    ...(terminal ? [bytesField(Tag.TERMINAL, encodeSize(terminal))] : []),
  ]);
};

/** The payload of RESIZE. */
export const encodeSize = ({rows, columns}: WindowSize): Buffer => {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt16LE(rows, 0);
  payload.writeUInt16LE(columns, 2);
  return payload;
};

export const encodePut = (path: string, limits: TransferLimits & {readonly user: string}): Buffer =>
  encodeRequest('path', [...transferFields(path, limits), ...userFields(limits.user)]);

export const encodeGet = (path: string, options: TransferLimits & {readonly isFile?: boolean}): Buffer =>
  encodeRequest('path', [
    ...transferFields(path, options),
    ...(options.isFile ? [u32Field(Tag.FILE, 1)] : []),
  ]);

/** `machineId` is 32 hexadecimal digits, as in machine-id(5); without it the guest's stays. */
export const encodeSync = (nowMs: number, machineId?: string): Buffer =>
  encodeFields([
    u64Field(Tag.TIME, BigInt(nowMs) * 1_000_000n),
    bytesField(Tag.ENTROPY, randomBytes(ENTROPY_BYTES)),
    ...(machineId === undefined ? [] : [bytesField(Tag.MACHINE_ID, machineIdBytes(machineId))]),
  ]);

const machineIdBytes = (machineId: string): Buffer => {
  const bytes = Buffer.from(machineId, 'hex');
  if (bytes.length === MACHINE_ID_BYTES && bytes.toString('hex') === machineId) return bytes;
  throw new RangeError(`'${machineId}' is no machine id`);
};

export const encodeShutdown = (graceMs: number): Buffer =>
  encodeFields([u32Field(Tag.GRACE, Math.max(0, Math.min(Math.round(graceMs), 0xffff_ffff)))]);

export const encodeSignal = (signal: number, scope: SignalScope): Buffer => {
  if (!Number.isInteger(signal) || signal < 1 || signal > MAX_SIGNAL) {
    throw new RangeError(`there is no signal ${signal}`);
  }
  return Buffer.from([signal, SignalScopeNumber[scope]]);
};

export const encodeWindow = (
  stream: (typeof StreamNumber)[keyof typeof StreamNumber],
  credit: number,
): Buffer => {
  const payload = Buffer.allocUnsafe(5);
  payload.writeUInt8(stream, 0);
  payload.writeUInt32LE(credit, 1);
  return payload;
};

const transferFields = (path: string, {maxBytes, maxEntries}: TransferLimits): Field[] => {
  if (!path.startsWith('/')) throw usageError(`The guest's path '${path}' is not absolute.`);
  return [
    checkedField(Tag.PATH, 'The path', path),
    u64Field(Tag.MAX_BYTES, BigInt(maxBytes)),
    u32Field(Tag.MAX_ENTRIES, Math.min(maxEntries, 0xffff_ffff)),
  ];
};

const userFields = (user: string): Field[] => (user === '' ? [] : [checkedField(Tag.USER, 'The user', user)]);

const checkVariable = (variable: string): void => {
  if (variable.indexOf('=') < 1)
    throw usageError(`The environment variable '${variable}' is not NAME=value.`);
};

const checkedField = (tag: number, what: string, text: string): Field => {
  if (text.includes('\0')) throw usageError(`${what} holds a NUL character, which no program can be given.`);
  return stringField(tag, text);
};

const encodeRequest = (what: string, fields: readonly Field[]): Buffer => {
  const size = fieldsSize(fields);
  if (size > MAX_PAYLOAD) {
    throw usageError(
      `The ${what} take ${(size / 1024 / 1024).toFixed(2)} MiB; a guest takes 1 MiB at most.`,
      'pass large data on standard input, or as a file: --file PATH',
    );
  }
  return encodeFields(fields);
};
