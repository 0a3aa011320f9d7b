/**
 * A client of QMP, as much of it as saving a machine takes
 * (https://www.qemu.org/docs/master/interop/qmp-spec.html). A guest that has broken out may be at the other end: what
 * comes is bounded, and checked.
 */
import {createInterface} from 'node:readline';
import type {Duplex} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import * as z from 'zod/mini';
import {AgentError, deadlineError} from '../../../model/errors.js';

export interface Qmp {
  /** Resolves with what the command returns. Throws BOOT_FAILED where QEMU refuses it or has gone, DEADLINE. */
  readonly execute: (command: string, args?: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

const ANSWER_DEADLINE_MS = 10_000;
const MOST_BYTES = 1024 * 1024;

const answer = z.union([
  z.object({return: z.unknown()}),
  z.object({error: z.object({desc: z.string().check(z.maxLength(1_000))})}),
]);
type Answer = z.infer<typeof answer>;

/** Waits for the greeting, and leaves the mode of negotiation. */
export const openQmp = async (socket: Duplex): Promise<Qmp> => {
  const lines = answersOf(socket);
  const execute: Qmp['execute'] = async (command, args = {}) => {
    socket.write(`${JSON.stringify({execute: command, arguments: args})}\n`);
    const late = sleep(ANSWER_DEADLINE_MS, 'late' as const, {ref: false});
    const next = await Promise.race([lines.next(), late]);
    if (next === 'late') throw deadlineError(`QEMU's answer to ${command}`, ANSWER_DEADLINE_MS);
    if (next.done) throw new AgentError('BOOT_FAILED', `QEMU has ended before it answered ${command}.`);
    if ('error' in next.value)
      throw new AgentError('BOOT_FAILED', `QEMU: ${command}: ${next.value.error.desc}`);
    return next.value.return;
  };
  await execute('qmp_capabilities');
  return {execute};
};

/** Neither the greeting nor events answer anything. */
async function* answersOf(socket: Duplex): AsyncGenerator<Answer, void> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) socket.destroy();
  });
  socket.on('error', () => {}); // the end of its lines says it
  const lines = createInterface({input: socket});
  socket.on('close', () => lines.close());
  for await (const line of lines) {
    const parsed = answer.safeParse(parse(line));
    if (parsed.success) yield parsed.data;
  }
}

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};
