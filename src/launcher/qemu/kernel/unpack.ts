/** Unpacks kernels and kernel modules, whatever they are compressed with. */
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {gunzip} from 'node:zlib';
import {run} from '../../../process/run.js';
import {unpackLz4Legacy} from './lz4.js';

const MAX_UNPACKED = 512 * 1024 * 1024;
const TOOL_DEADLINE_MS = 60_000;

export type Compression = 'none' | 'gzip' | 'lz4' | 'xz' | 'zstd';

const compressionOf = (data: Buffer): Compression => {
  const head = data.toString('hex', 0, 6);
  if (head.startsWith('1f8b')) return 'gzip';
  if (head.startsWith('02214c18')) return 'lz4';
  if (head === 'fd377a585a00') return 'xz';
  return head.startsWith('28b52ffd') ? 'zstd' : 'none';
};

export interface UnpackOptions {
  /** A folder of ours for temporary files. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export const unpack = async (data: Buffer, options: UnpackOptions): Promise<Buffer> => {
  switch (compressionOf(data)) {
    case 'gzip':
      return await promisify(gunzip)(data, {maxOutputLength: MAX_UNPACKED});
    case 'xz':
      return await unpackByTool({data, tool: 'xz', ...options});
    case 'zstd':
      return await unpackByTool({data, tool: 'zstd', ...options});
    case 'lz4':
      throw new Error('LZ4 needs the size behind it: use unpackKernelPayload');
    case 'none':
      return data;
  }
};

/** The build of the kernel appends the unpacked size to every payload except gzip, which has it inside. */
export const unpackKernelPayload = async (payload: Buffer, options: UnpackOptions): Promise<Buffer> => {
  const compression = compressionOf(payload);
  if (compression === 'gzip' || compression === 'none') return await unpack(payload, options);
  const [stream, size] = [payload.subarray(0, -4), payload.readUInt32LE(payload.length - 4)];
  if (size > MAX_UNPACKED) throw new Error(`kernel of ${size} bytes`);
  return compression === 'lz4' ? unpackLz4Legacy(stream, size) : await unpack(stream, options);
};

const unpackByTool = async (job: UnpackOptions & {data: Buffer; tool: string}): Promise<Buffer> => {
  const folder = await mkdtemp(join(job.folder, 'unpack-'));
  try {
    const packed = join(folder, `file.${job.tool === 'xz' ? 'xz' : 'zst'}`);
    await writeFile(packed, job.data);
    await run({
      file: job.tool,
      args: ['-d', '-q', packed],
      phase: `unpacking the guest kernel with ${job.tool}`,
      timeoutMs: TOOL_DEADLINE_MS,
      signal: job.signal,
    });
    return await readFile(join(folder, 'file'));
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
};
