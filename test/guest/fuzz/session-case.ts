/** A channel with sessions as the monitor has them: no streams, so that most of the frames can go this way. */
import {Connection} from '../../../src/guest/connection.js';
import {FrameType} from '../../../src/guest/protocol.js';
import type {AgentError} from '../../../src/model/errors.js';
import {RelayedSession} from '../../../src/monitor/relayed-session.js';
import type {Random} from '../random.js';
import {FakeChannel} from './fake-channel.js';
import {feed} from './feed.js';
import {Finding, isGuests, known} from './finding.js';
import {guestFrame, hello} from './frames.js';
import type {CaseResult} from './guest-case.js';

const NOTHING = Buffer.alloc(0);
const kinds = [FrameType.EXEC, FrameType.EXEC, FrameType.PUT, FrameType.GET] as const;

export const playSessions = (random: Random, most: number): CaseResult => {
  const channel = new FakeChannel();
  let ended: {readonly error: AgentError | undefined} | undefined;
  const connection = new Connection({
    channel: channel as never,
    lastLines: () => [],
    onHello: () => {},
    onEnd: (error) => {
      ended = {error};
    },
  });
  channel.push(hello);
  let open: number = kinds.length;
  const onEnd = (): void => {
    open -= 1;
  };
  const sessions = kinds.map((type) => addSession(connection, type, onEnd));
  if (random.number(2) === 0) sessions[1]?.detach();
  const fed = feed(random, {
    channel,
    connection,
    commands: [1, 2],
    most,
    oneOf: 2,
    honest: (commands) => guestFrame(random, commands),
  });
  if (open !== 0) throw new Finding(`${open} sessions are open after the end of the channel`);
  return {...fed, ending: known(ended?.error, isGuests), check: () => {}};
};

const addSession = (connection: Connection, type: number, onEnd: () => void): RelayedSession =>
  connection.add(
    (id, link) =>
      new RelayedSession({
        id,
        link,
        type,
        payload: NOTHING,
        target: {send: () => {}},
        onEnd,
        onTraffic: () => {},
      }),
  );
