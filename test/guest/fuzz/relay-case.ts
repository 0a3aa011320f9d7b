/** A monitor's relay between damaged frames of a guest's and of its clients'. */
import {connectChannel} from '../../../src/guest/connect.js';
import {FrameType} from '../../../src/guest/protocol.js';
import type {AgentError} from '../../../src/model/errors.js';
import {decodeFailure, MonitorFrame} from '../../../src/monitor/protocol.js';
import {Relay} from '../../../src/monitor/relay.js';
import type {Random} from '../random.js';
import {FakeChannel} from './fake-channel.js';
import {sendMaybeDamaged} from './feed.js';
import {Finding, isGuests, known} from './finding.js';
import {clientFrame, endedBy, guestFrame, hello} from './frames.js';
import type {CaseResult} from './guest-case.js';

const CLIENTS = 3;

interface Client {
  readonly channel: FakeChannel;
  next: number;
}

export const playRelay = async (random: Random, most: number): Promise<CaseResult> => {
  const commands = new Set<number>();
  const channel = new FakeChannel((frame) => {
    if (frame[4] === FrameType.EXEC) commands.add(frame.readUInt32LE(5));
  });
  const connecting = connectChannel({
    channel: channel as never,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    lastLines: () => [],
  });
  channel.push(hello);
  const {guest, connection} = await connecting;
  const stuck: AgentError[] = [];
  const relay = new Relay({guest, connection, describe: () => status, onStuck: (error) => stuck.push(error)});
  const ends = {channel, commands, clients: Array.from({length: CLIENTS}, () => addClient(relay))};
  let damaged = 0;
  let frames = 0;
  for (; frames < most && !connection.hasEnded; frames += 1) {
    damaged += sendOne(random, ends) ? 1 : 0;
    ends.clients = ends.clients.map((client) => (client.channel.destroyed ? addClient(relay) : client));
  }
  channel.destroy();
  const error = await guest.closed;
  for (const client of ends.clients) client.channel.destroy();
  return {
    frames,
    damaged,
    ending: known(error, isGuests),
    check: () => {
      const {held, detached} = relay;
      if (held + detached.length > 0) throw new Finding('a session is held after the end of the channel');
      if (stuck.length > 0) throw new Finding('a session is stuck after the end of the channel');
    },
  };
};

interface Ends {
  readonly channel: FakeChannel;
  readonly commands: Set<number>;
  readonly clients: readonly Client[];
}

/** True where it is damaged. A guest that is caught ends all of it: it is damaged more rarely. */
const sendOne = (random: Random, {channel, commands, clients}: Ends): boolean => {
  const client = random.pick(clients);
  if (random.number(100) === 0) changeMind(random, client.channel, channel);
  if (commands.size > 0 && random.number(3) === 0) {
    const honest = guestFrame(random, [...commands]);
    commands.delete(endedBy(honest) ?? 0);
    return sendMaybeDamaged(random, channel, honest, 20);
  }
  const honest = clientFrame(random, client.next);
  if (opening.has(honest[4] ?? 0)) client.next += 1;
  return sendMaybeDamaged(random, client.channel, honest, 2);
};

const status = Buffer.from('{"version":1}');
const opening: ReadonlySet<number> = new Set([
  FrameType.EXEC,
  FrameType.PUT,
  FrameType.GET,
  MonitorFrame.ATTACH,
]);

const addClient = (relay: Relay): Client => {
  const channel = new FakeChannel((frame) => {
    if (frame[4] === MonitorFrame.FAILURE) known(decodeFailure(frame.subarray(9)), isClients);
  });
  relay.addClient(channel.socket);
  return {channel, next: 1};
};

const isClients = ({code, message}: AgentError): boolean =>
  code === 'INTERNAL' && message.startsWith('A client of the monitor broke the protocol');

/** One end stops reading, or reads again, or leaves. */
const changeMind = (random: Random, client: FakeChannel, guest: FakeChannel): void => {
  const end = random.number(2) === 0 ? client : guest;
  if (random.number(4) === 0) client.destroy();
  else if (end.writableNeedDrain) end.drain();
  else end.writableNeedDrain = true;
};
