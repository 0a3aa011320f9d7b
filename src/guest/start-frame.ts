import {encodeFields, stringField} from './field-encoder.js';
import {encodeFrame} from './frame-encoder.js';
import {FrameType, MAX_HOST_NAME_BYTES, Tag} from './protocol.js';

export interface Start {
  readonly hostName: string;
  /** The guest's block device for its writes; null: they stay in its memory. */
  readonly upper: string | null;
  /** The guest's block device behind `/persist`, or null. */
  readonly persist: string | null;
}

/** The whole frame, to be written before anything else into the channel of a guest that stands still: HELLO follows. */
export const encodeStart = ({hostName, upper, persist}: Start): Buffer => {
  if (!/^[\w.-]+$/.test(hostName) || hostName.length > MAX_HOST_NAME_BYTES)
    throw new RangeError(`'${hostName}' is no host name`);
  const payload = encodeFields([
    stringField(Tag.HOST, hostName),
    ...(upper === null ? [] : [stringField(Tag.UPPER, upper)]),
    ...(persist === null ? [] : [stringField(Tag.PERSIST, persist)]),
  ]);
  return encodeFrame({type: FrameType.START, session: 0, payload});
};
