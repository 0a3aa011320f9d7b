/**
 * The numbers of docs/guest-protocol.md written down once more, on purpose not those of src/guest:
 * two implementations that share no code check each other.
 */
export const Type = {
  hello: 1,
  exec: 2,
  stdin: 3,
  stdinEof: 4,
  stdout: 5,
  stderr: 6,
  exit: 7,
  signal: 8,
  resize: 9,
  window: 10,
  put: 11,
  get: 12,
  sync: 13,
  ping: 14,
  pong: 15,
  shutdown: 16,
  error: 17,
  suspend: 18,
  start: 19,
} as const;

export const Tag = {
  version: 1,
  kernel: 2,
  machine: 3,
  phase: 4,
  memory: 5,
  arg: 16,
  env: 17,
  cwd: 18,
  user: 19,
  terminal: 20,
  path: 32,
  maxBytes: 33,
  maxEntries: 34,
  file: 35,
  code: 48,
  signal: 49,
  oom: 50,
  cpu: 51,
  maxRss: 52,
  errno: 53,
  reason: 54,
  elapsed: 55,
  limits: 56,
  out: 57,
  time: 64,
  entropy: 65,
  machineId: 66,
  grace: 80,
  host: 96,
  upper: 97,
  persist: 98,
} as const;

export const initialCredit = 262_144;
export const maxLength = 1_048_576;

export type Frame = {readonly type: number; readonly session: number; readonly payload: Buffer};
export type FieldValue = string | Uint8Array | {readonly u32: number} | {readonly u64: bigint};
export type Row = readonly [tag: number, value: FieldValue];

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

/** TERMINAL and RESIZE. */
export const terminalSize = (rows: number, columns: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(rows);
  bytes.writeUInt16LE(columns, 2);
  return bytes;
};

export const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};

export const encodeFrame = (type: number, session: number, payload: Uint8Array = Buffer.alloc(0)) =>
  Buffer.concat([u32(5 + payload.length), Buffer.of(type), u32(session), payload]);

const encodeValue = (value: FieldValue): Uint8Array => {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  return 'u32' in value ? u32(value.u32) : u64(value.u64);
};

export const encodeFields = (rows: readonly Row[]): Buffer =>
  Buffer.concat(
    rows.flatMap(([tag, value]) => {
      const bytes = encodeValue(value);
      return [Buffer.of(tag), u32(bytes.length), bytes];
    }),
  );

/** The values of each tag, in order. */
export const decodeFields = (payload: Buffer): Map<number, Buffer[]> => {
  const fields = new Map<number, Buffer[]>();
  for (let at = 0; at < payload.length; ) {
    const tag = payload.readUInt8(at);
    const end = at + 5 + payload.readUInt32LE(at + 1);
    if (end > payload.length) throw new Error(`field ${tag} is cut`);
    fields.set(tag, [...(fields.get(tag) ?? []), payload.subarray(at + 5, end)]);
    at = end;
  }
  return fields;
};

/** Cuts a byte stream into frames, and fails on a length that the protocol forbids. */
export class FrameReader {
  #rest: Buffer[] = [];
  #held = 0;

  push(chunk: Buffer): Frame[] {
    this.#rest.push(chunk);
    this.#held += chunk.length;
    const frames: Frame[] = [];
    if (this.#held < 4) return frames;
    let bytes = Buffer.concat(this.#rest);
    while (bytes.length >= 4) {
      const length = bytes.readUInt32LE(0);
      if (length < 5 || length > maxLength) throw new Error(`frame of ${length} bytes`);
      if (bytes.length < 4 + length) break;
      frames.push({
        type: bytes.readUInt8(4),
        session: bytes.readUInt32LE(5),
        payload: bytes.subarray(9, 4 + length),
      });
      bytes = bytes.subarray(4 + length);
    }
    this.#rest = [bytes];
    this.#held = bytes.length;
    return frames;
  }
}
