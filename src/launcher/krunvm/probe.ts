/** Boots a guest with nothing but the agent in it, to learn whether krunvm works here. */
import {randomBytes} from 'node:crypto';
import {connectGuest} from '../../guest/connect.js';
import {type ErrorCode, toAgentError} from '../../model/errors.js';
import type {NetworkMode} from '../../model/network.js';
import {findGuestAgent} from '../common/guest-agent.js';
import {architectureOf} from '../common/host.js';
import type {Finding, LaunchOptions, Machine} from '../launcher.js';
import {start} from './boot.js';
import {isolationOf} from './isolation.js';
import type {KrunHost, KrunvmLauncherOptions} from './krun-host.js';
import {provision} from './provision.js';
import {removeVm} from './remove.js';

/** Hardware that cannot boot a guest in this time is no gain over none. */
const PROBE_DEADLINE_MS = 15_000;
const SUBJECT = 'boot with krunvm';
const MEMORY_MIB = 128;

export interface ProbeRequest {
  readonly host: KrunHost;
  readonly options: KrunvmLauncherOptions;
  readonly launch: LaunchOptions;
}

export interface Proof {
  readonly finding: Finding;
  /** Whether it says something of krunvm, and not of a full disk, say. */
  readonly isLasting: boolean;
}

/** For making, booting and greeting it together: krunvm may hang in each. */
const WHOLE_DEADLINE_MS = 45_000;
const lasting: readonly ErrorCode[] = ['BOOT_FAILED', 'LAUNCHER_UNAVAILABLE', 'DEADLINE', 'GUEST_PROTOCOL'];

/** Throws only when it was interrupted. */
export const probe = async (request: ProbeRequest): Promise<Proof> => {
  const {host, launch} = request;
  const late = AbortSignal.timeout(WHOLE_DEADLINE_MS);
  const limited = {...request, launch: {...launch, signal: AbortSignal.any([launch.signal, late])}};
  const id = `probe-${randomBytes(4).toString('hex')}`;
  try {
    return {finding: await tryBoot(limited, id), isLasting: true};
  } catch (error) {
    launch.signal.throwIfAborted();
    const {code, message, details, hints} = toAgentError(error);
    const seen = [late.aborted ? tooLate : message, ...details.slice(-3)].join('; ');
    const mend = hints.join('; ') || 'agent doctor tries again';
    const finding = {ok: false, subject: SUBJECT, seen, mend};
    return {finding, isLasting: late.aborted || lasting.includes(code)};
  } finally {
    await removeVm(host, id, {...launch, signal: new AbortController().signal}).catch(() => {
      // It has a name that no VM bears, and nothing in it.
    });
  }
};

const tooLate = `it took longer than ${WHOLE_DEADLINE_MS / 1000} s`;

const tryBoot = async ({host, options, launch}: ProbeRequest, id: string): Promise<Finding> => {
  const spec = {
    id,
    folder: '',
    persistFolder: null,
    image: null,
    cpus: 1,
    memoryMib: MEMORY_MIB,
    guestVolumes: false,
  };
  await provision({host, options, spec, launch});
  const startedAt = performance.now();
  const network: NetworkMode = await isolationOf(host, launch.signal);
  const machine = await start({
    host,
    spec: {id, network},
    guestAgent: findGuestAgent(options, architectureOf(process.arch)),
    logPath: null,
    deadlineMs: PROBE_DEADLINE_MS,
    signal: launch.signal,
  });
  try {
    const kernel = await greet(machine, launch);
    const elapsedMs = Math.round(performance.now() - startedAt);
    return {ok: true, subject: SUBJECT, seen: `kernel ${kernel} after ${elapsedMs} ms`};
  } finally {
    await machine.kill();
  }
};

const greet = async ({channel, lastLines}: Machine, {signal}: LaunchOptions): Promise<string> => {
  const guest = await connectGuest({channel, timeoutMs: PROBE_DEADLINE_MS, signal, lastLines});
  guest.close();
  return guest.hello.kernel;
};
