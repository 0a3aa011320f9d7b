import {LENGTH_BYTES, MAX_PAYLOAD, MIN_LENGTH} from './protocol.js';

export interface Frame {
  readonly type: number;
  readonly session: number;
  readonly payload?: Uint8Array;
}

/** One buffer for the wire. The payload is copied: its owner may reuse it at once. */
export const encodeFrame = ({type, session, payload}: Frame): Buffer => {
  const size = payload?.length ?? 0;
  if (size > MAX_PAYLOAD) throw new RangeError(`a payload of ${size} bytes does not fit into a frame`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + MIN_LENGTH + size);
  frame.writeUInt32LE(MIN_LENGTH + size, 0);
  frame.writeUInt8(type, LENGTH_BYTES);
  frame.writeUInt32LE(session, LENGTH_BYTES + 1);
  if (payload !== undefined) frame.set(payload, LENGTH_BYTES + MIN_LENGTH);
  return frame;
};
