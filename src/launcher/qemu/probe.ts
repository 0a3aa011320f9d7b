/** Boots a tiny guest, without any disk, to learn whether a machine works here. */
import {randomBytes} from 'node:crypto';
import {connectGuest} from '../../guest/connect.js';
import {toAgentError} from '../../model/errors.js';
import type {Machine} from '../launcher.js';
import {type LaunchRequest, launch} from './launch.js';

export type ProbeRequest = Pick<
  LaunchRequest,
  'parts' | 'cacheFolder' | 'kernel' | 'candidate' | 'kvmGroup' | 'signal'
> & {
  readonly deadlineMs: number;
};

export type ProbeResult =
  | {readonly ok: true /** `uname -r` of the guest. */; readonly kernel: string; readonly elapsedMs: number}
  | {readonly ok: false; readonly seen: string};

/** Throws only when it was interrupted. */
export const probe = async (request: ProbeRequest): Promise<ProbeResult> => {
  const startedAt = performance.now();
  let machine: Machine | undefined;
  try {
    const marker = `agent-probe-${process.pid}-${randomBytes(4).toString('hex')}`;
    machine = await launch({...request, ...TINY, marker});
    const guest = await connectGuest({
      channel: machine.channel,
      timeoutMs: request.deadlineMs,
      signal: request.signal,
      lastLines: machine.lastLines,
    });
    guest.close();
    return {ok: true, kernel: guest.hello.kernel, elapsedMs: Math.round(performance.now() - startedAt)};
  } catch (error) {
    request.signal.throwIfAborted();
    return {ok: false, seen: describe(error, request, machine?.lastLines() ?? [])};
  } finally {
    await machine?.kill();
  }
};

const TINY = {
  hostName: 'probe',
  cpus: 1,
  memoryMib: 128,
  network: 'none',
  disks: null,
  template: null,
  logPath: null,
} as const;

const describe = (error: unknown, {deadlineMs}: ProbeRequest, lastLines: readonly string[]): string => {
  const {code, message} = toAgentError(error);
  const what = code === 'DEADLINE' ? `nothing heard from the guest within ${deadlineMs / 1000} s` : message;
  const last = lastLines.at(-1) ?? 'its console stayed empty';
  return `${what} (${last})`;
};
