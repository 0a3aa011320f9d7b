import type {Duplex} from 'node:stream';
import {encodeFrame, type Frame} from './frame-encoder.js';

/** The sending half of the channel. Whoever has much to send asks first, so that nothing piles up here. */
export interface Link {
  /** Sends at once, or does nothing when the channel has ended. */
  readonly send: (frame: Frame) => void;
  readonly isWritable: () => boolean;
  /** Calls back once, in the order of asking, when the channel takes more. */
  readonly whenWritable: (callback: () => void) => void;
}

export const createLink = (channel: Duplex): Link => {
  const waiting: (() => void)[] = [];
  const isWritable = (): boolean => !channel.writableNeedDrain;
  channel.on('drain', () => {
    // Each caller sends a frame or so and asks again: streams take turns.
    while (waiting.length > 0 && isWritable()) waiting.shift()?.();
  });
  return {
    send: (frame) => {
      if (channel.writable) channel.write(encodeFrame(frame));
    },
    isWritable,
    whenWritable: (callback) => {
      waiting.push(callback);
    },
  };
};
