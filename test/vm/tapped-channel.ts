import {type Duplex, duplexPair} from 'node:stream';

export interface TappedChannel {
  /** As the channel itself; destroying it leaves the channel as it is. */
  readonly channel: Duplex;
  /** From here on somebody else may use the channel. */
  readonly release: () => void;
}

/** One of those who use a channel in turn. */
export const tap = (channel: Duplex): TappedChannel => {
  const [own, other] = duplexPair();
  const toOther = (chunk: Buffer): void => {
    other.write(chunk);
  };
  const onEnd = (): void => {
    other.end();
  };
  channel.on('data', toOther);
  channel.on('end', onEnd);
  other.on('data', (chunk: Buffer) => channel.write(chunk));
  other.on('error', () => {});
  return {
    channel: own,
    release: () => {
      channel.off('data', toOther);
      channel.off('end', onEnd);
    },
  };
};
