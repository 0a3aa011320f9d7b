/** Damaged payloads for the decoders of fields and reports, and damaged archives for the reader of tar. */
import {Readable} from 'node:stream';
import {decodeFields} from '../../../src/guest/field-decoder.js';
import {encodeFields, stringField, u32Field, u64Field} from '../../../src/guest/field-encoder.js';
import {FrameType, Tag} from '../../../src/guest/protocol.js';
import {decodeErrorText, decodeExit, decodeHello} from '../../../src/guest/reports.js';
import {pathSteps} from '../../../src/guest/tar-path.js';
import {readTar} from '../../../src/guest/tar-reader.js';
import {encodeEntry, endOfArchive, paddingFor} from '../../../src/guest/tar-writer.js';
import type {AgentError} from '../../../src/model/errors.js';
import {checkRequest} from '../../../src/monitor/check-request.js';
import {decodeReport} from '../../../src/monitor/report.js';
import type {Random} from '../random.js';
import {Finding, isGuests, known} from './finding.js';

const payload = encodeFields([
  u32Field(Tag.VERSION, 1),
  u32Field(Tag.CODE, 3),
  u64Field(Tag.CPU, 1n << 40n),
  stringField(Tag.REASON, 'why'),
  stringField(Tag.ARG, '/bin/x'),
  stringField(Tag.PATH, '/tmp'),
  {tag: Tag.PHASE, value: Buffer.alloc(12)},
]);

const decoders: readonly ((bytes: Buffer) => unknown)[] = [
  decodeHello,
  decodeExit,
  decodeErrorText,
  (bytes) => decodeFields(bytes).strings(Tag.PHASE),
  (bytes) => checkRequest(FrameType.EXEC, bytes),
  (bytes) => checkRequest(FrameType.PUT, bytes),
  (bytes) => decodeReport(bytes.toString('latin1')),
];

const isClients = ({message}: AgentError): boolean => message.startsWith('A client of the monitor');

const flip = (bytes: Buffer, random: Random): Buffer => {
  const changed = Buffer.from(
    bytes.subarray(0, random.number(5) === 0 ? random.number(bytes.length) : undefined),
  );
  for (let flips = random.number(6); flips > 0 && changed.length > 0; flips -= 1)
    changed[random.number(changed.length)] = random.number(random.pick([8, 256]));
  return changed;
};

export const playPayload = (random: Random): void => {
  const bytes = flip(payload, random);
  try {
    random.pick(decoders)(bytes);
  } catch (error) {
    known(error, (each) => isGuests(each) || isClients(each));
  }
};

const content = Buffer.alloc(700, 'content');
const longName = Buffer.alloc(300, 'folder/');
const archive = Buffer.concat([
  encodeEntry({name: Buffer.from('.'), type: 'directory', mode: 0o755, mtimeMs: 0, size: 0}),
  encodeEntry({name: Buffer.from('file'), type: 'file', mode: 0o644, mtimeMs: 1e12, size: content.length}),
  content,
  paddingFor(content.length),
  encodeEntry({name: longName, type: 'file', mode: 0o600, mtimeMs: 0, size: 5}),
  content.subarray(0, 5),
  paddingFor(5),
  encodeEntry({
    name: Buffer.from('link'),
    type: 'symlink',
    mode: 0o777,
    mtimeMs: 0,
    size: 0,
    target: longName,
  }),
  endOfArchive,
]);
/** Offsets of what the checksum is over, for headers that stay valid. */
const CHECKSUM = [148, 156] as const;
const BLOCK = 512;

/** Half of them with a checksum that is right: the damage gets past it. */
const damagedArchive = (random: Random): Buffer => {
  const changed = flip(archive, random);
  if (random.number(2) === 0) return changed;
  for (let at = 0; at + BLOCK <= changed.length; at += BLOCK) {
    const block = changed.subarray(at, at + BLOCK);
    if (block.toString('latin1', 257, 262) !== 'ustar') continue;
    if (random.number(2) === 0)
      block[random.number(BLOCK)] = random.pick([0, 0x2e, 0x2f, 0x30, 0x37, 0x80, 0xff]);
    block.fill(0x20, ...CHECKSUM);
    block.write(
      `${block
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      CHECKSUM[0],
      'latin1',
    );
  }
  return changed;
};

/** True where it was read to its end. */
export const playArchive = async (random: Random): Promise<boolean> => {
  const bytes = damagedArchive(random);
  try {
    const read = await readAll(bytes, random);
    if (read > bytes.length) throw new Finding('read more than there was');
    return true;
  } catch (error) {
    if (error instanceof Finding) throw error;
    known(error, isGuests);
    return false;
  }
};

/** Bytes of content. */
const readAll = async (bytes: Buffer, random: Random): Promise<number> => {
  let read = 0;
  for await (const {name, content: body} of readTar(Readable.from(pieces(bytes, 1 + random.number(900))))) {
    const steps = pathSteps(name) ?? [];
    if (steps.some((step) => step === '..' || step.includes('/')))
      throw new Finding(`took the name '${name}'`);
    if (random.number(2) === 0) continue;
    for await (const part of body()) read += part.length;
  }
  return read;
};

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
