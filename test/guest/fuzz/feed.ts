import type {Connection} from '../../../src/guest/connection.js';
import type {Random} from '../random.js';
import type {FakeChannel} from './fake-channel.js';
import {damage, endedBy} from './frames.js';

export interface FeedOptions {
  readonly channel: FakeChannel;
  readonly connection: Connection;
  /** Sessions that an honest guest may say something in. */
  readonly commands: readonly number[];
  readonly most: number;
  /** One of so many frames is damaged. */
  readonly oneOf: number;
  readonly honest: (commands: readonly number[]) => Buffer;
}

/** A guest's frames until the host has had enough, or there is nothing left to say. */
export const feed = (
  random: Random,
  {channel, connection, commands, most, oneOf, honest}: FeedOptions,
): {readonly frames: number; readonly damaged: number} => {
  let open = commands;
  let damaged = 0;
  let frames = 0;
  for (; frames < most && !connection.hasEnded && open.length > 0; frames += 1) {
    const frame = honest(open);
    const over = endedBy(frame);
    if (over !== undefined) open = open.filter((session) => session !== over);
    damaged += sendMaybeDamaged(random, channel, frame, oneOf) ? 1 : 0;
  }
  channel.destroy();
  return {frames, damaged};
};

/** True where it is damaged. */
export const sendMaybeDamaged = (random: Random, to: FakeChannel, honest: Buffer, oneOf: number): boolean => {
  const isDamaged = random.number(oneOf) === 0;
  pushInPieces(to, isDamaged ? damage(honest, random) : honest, random);
  return isDamaged;
};

/** Cut where it may hurt. */
const pushInPieces = (channel: FakeChannel, bytes: Buffer, random: Random): void => {
  let rest = bytes;
  while (rest.length > 0 && random.number(4) === 0) {
    const cut = 1 + random.number(Math.min(rest.length, 20));
    channel.push(rest.subarray(0, cut));
    rest = rest.subarray(cut);
  }
  if (rest.length > 0) channel.push(rest);
};
