import {FIELD_HEAD_BYTES, FrameType, Tag} from '../guest/protocol.js';
import {clientError} from './client-error.js';
import {MonitorFrame} from './protocol.js';

/**
 * Throws for what opens no session: the guest would close the channel over it, and with that every session of every
 * client.
 */
export const checkRequest = (type: number, payload: Buffer): void => {
  if (type === MonitorFrame.ATTACH) {
    if (payload.length !== 4) throw clientError(`ATTACH of ${payload.length} bytes`);
    return;
  }
  const [rules, needed] = type === FrameType.EXEC ? [commandRules, Tag.ARG] : [transferRules, Tag.PATH];
  const seen = checkFields(type, payload, rules);
  if (!seen.has(needed)) throw clientError(`type ${type} without field ${needed}`);
};

const checkFields = (
  type: number,
  payload: Buffer,
  rules: ReadonlyMap<number, Rule>,
): ReadonlySet<number> => {
  const seen = new Set<number>();
  for (const {tag, value} of fieldsOf(payload)) {
    const rule = rules.get(tag);
    if (rule === undefined) continue;
    const isAgain = seen.has(tag) && !repeatable.has(tag);
    if (isAgain || !rule(value)) throw clientError(`a bad field ${tag} in type ${type}`);
    seen.add(tag);
  }
  return seen;
};

function* fieldsOf(payload: Buffer): Generator<{readonly tag: number; readonly value: Buffer}> {
  let at = 0;
  while (at < payload.length) {
    const start = at + FIELD_HEAD_BYTES;
    const end = start <= payload.length ? start + payload.readUInt32LE(at + 1) : start;
    if (end > payload.length) throw clientError('a field that is cut short');
    yield {tag: payload.readUInt8(at), value: payload.subarray(start, end)};
    at = end;
  }
}

type Rule = (value: Buffer) => boolean;

const SLASH = 0x2f;
const isString: Rule = (value) => !value.includes(0);
const isPath: Rule = (value) => isString(value) && value[0] === SLASH;
const ofSize =
  (size: number): Rule =>
  ({length}) =>
    length === size;

const repeatable: ReadonlySet<number> = new Set([Tag.ARG, Tag.ENV]);

const commandRules: ReadonlyMap<number, Rule> = new Map([
  [Tag.ARG, isString],
  [Tag.ENV, (value) => isString(value) && value.includes('=')],
  [Tag.CWD, isPath],
  [Tag.USER, isString],
  [Tag.TERMINAL, ofSize(4)],
]);

const transferRules: ReadonlyMap<number, Rule> = new Map([
  [Tag.PATH, isPath],
  [Tag.USER, isString],
  [Tag.MAX_BYTES, ofSize(8)],
  [Tag.MAX_ENTRIES, ofSize(4)],
  [Tag.FILE, ofSize(4)],
]);
