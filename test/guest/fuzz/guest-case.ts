/** A channel with a session of each kind, and damaged frames of a guest's. */
import {Connection} from '../../../src/guest/connection.js';
import type {OpenSession} from '../../../src/guest/open-session.js';
import {FrameType} from '../../../src/guest/protocol.js';
import type {AgentError} from '../../../src/model/errors.js';
import {decodeFailure, decodeStatus, MonitorFrame} from '../../../src/monitor/protocol.js';
import type {Random} from '../random.js';
import {FakeChannel} from './fake-channel.js';
import {feed} from './feed.js';
import {Finding, isGuests, known} from './finding.js';
import {damage, guestFrame, hello} from './frames.js';

export interface CaseResult {
  readonly frames: number;
  readonly damaged: number;
  /** How it ended. */
  readonly ending: string;
  /** Throws where something still waits; called when what was settled has been told. */
  readonly check: () => void;
}

const KINDS = [FrameType.EXEC, FrameType.PUT, FrameType.GET] as const;
const NOTHING = Buffer.alloc(0);

/** A client of the monitor also hears the monitor. */
export const playGuest = (random: Random, most: number, isClient: boolean): CaseResult => {
  const channel = new FakeChannel();
  const ended: {error: AgentError | undefined}[] = [];
  const connection = new Connection({
    channel: channel as never,
    lastLines: () => [],
    onHello: () => {},
    onEnd: (error) => ended.push({error}),
    more: isClient ? monitorFrames : undefined,
  });
  if (random.number(50) === 0) channel.push(damage(hello, random));
  else channel.push(hello);
  const sessions = connection.hasEnded ? [] : open(connection, random);
  const {frames, damaged} = feed(random, {
    channel,
    connection,
    commands: [1, 4, 7, 10],
    most,
    oneOf: 8,
    honest: (commands) => honest(random, commands, isClient),
  });
  if (ended.length !== 1) throw new Finding(`the channel ended ${ended.length} times`);
  const isKnown = (error: AgentError): boolean => isGuests(error) || (isClient && isMonitors(error));
  const ending = known(ended[0]?.error, isKnown);
  const states = sessions.map(watch);
  return {
    frames,
    damaged,
    ending,
    check: () => {
      for (const state of states) {
        if (!state.isOver) throw new Finding('a session hangs after the end of its channel');
        known(state.error, isKnown);
      }
    },
  };
};

const open = (connection: Connection, random: Random): OpenSession[] =>
  Array.from({length: 12}, (_, index) => {
    const type = KINDS[index % KINDS.length] ?? FrameType.EXEC;
    const session = connection.open({type, payload: NOTHING, judge: () => undefined});
    if (random.number(2) === 0) session.stdout.resume();
    if (random.number(2) === 0) session.stderr.destroy();
    if (type !== FrameType.GET) session.stdin.write('some input');
    return session;
  });

const honest = (random: Random, commands: readonly number[], isClient: boolean): Buffer => {
  if (!isClient || random.number(10) > 0) return guestFrame(random, commands);
  return random.pick(fromMonitor);
};

const json = (type: number, text: string): Buffer => {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(9);
  head.writeUInt32LE(payload.length + 5, 0);
  head[4] = type;
  return Buffer.concat([head, payload]);
};

const fromMonitor = [
  json(MonitorFrame.STATUS, '{"version":1,"accelerator":"tcg","bootMs":1,"isResponsive":true,"detached":[]}'),
  json(MonitorFrame.FAILURE, '{"code":"GUEST_FAILED","message":"It fell.","details":["x"],"hints":[]}'),
];

const monitorFrames = new Map<number, (payload: Buffer) => void>([
  [MonitorFrame.STATUS, (payload) => void decodeStatus(payload, 'vm')],
  [MonitorFrame.FAILURE, (payload) => void decodeFailure(payload)],
]);

/** The monitor is of our own making: what it says wrong is our own fault, and named so. */
const isMonitors = ({code, message}: AgentError): boolean =>
  (code === 'INTERNAL' && message.includes('no JSON object')) || code === 'VM_BUSY';

const watch = ({exit}: OpenSession): {isOver: boolean; error: unknown} => {
  const state: {isOver: boolean; error: unknown} = {isOver: false, error: undefined};
  exit.then(
    () => {
      state.isOver = true;
    },
    (error: unknown) => {
      state.isOver = true;
      state.error = error;
    },
  );
  return state;
};
