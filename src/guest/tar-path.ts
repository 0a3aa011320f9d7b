import {isUtf8} from 'node:buffer';
import {printable} from './printable.js';
import {protocolError} from './protocol-error.js';

const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 200;
const SLASH = 0x2f;

/**
 * The steps from the folder to an entry, as names of the host; none for the folder itself, undefined where the host
 * could not hold such a path. Throws for a name that no honest agent sends. A name that is not UTF-8 gets its bytes
 * beyond ASCII escaped, `caf%E9`: every later reader of the folder, on every system, can then open it.
 */
export const pathSteps = (name: Buffer): string[] | undefined => {
  if (name.length === 0) throw protocolError('its archive has an entry without a name');
  if (name.includes(0)) throw refusal(name, 'holds a NUL');
  if (name[0] === SLASH) throw refusal(name, 'is absolute');
  const steps = split(name).filter((step) => !isDot(step));
  if (steps.some((step) => step.equals(Buffer.from('..')))) throw refusal(name, "holds '..'");
  if (name.length > MAX_PATH_BYTES || steps.length > MAX_DEPTH) return undefined;
  const texts = steps.map(escapeName);
  return texts.some((text) => Buffer.byteLength(text) > MAX_NAME_BYTES) ? undefined : texts;
};

const refusal = (name: Buffer, what: string): Error =>
  protocolError(`its archive has '${printable(name, 100)}', which ${what}`);

const split = (name: Buffer): Buffer[] => {
  const steps: Buffer[] = [];
  let start = 0;
  for (let end = name.indexOf(SLASH); end !== -1; end = name.indexOf(SLASH, start)) {
    steps.push(name.subarray(start, end));
    start = end + 1;
  }
  return [...steps, name.subarray(start)];
};

const isDot = (step: Buffer): boolean => step.length === 0 || (step.length === 1 && step[0] === 0x2e);

const escapeName = (step: Buffer): string =>
  isUtf8(step)
    ? step.toString('utf8')
    : Array.from(step, (byte) =>
        byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase()}`,
      ).join('');
