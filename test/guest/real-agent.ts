import {type ChildProcess, spawn} from 'node:child_process';
import {Duplex} from 'node:stream';
import {type ConnectedGuest, connectChannel} from '../../src/guest/connect.js';
import {agentProgram} from '../guest-agent/stdio-agent.js';

/** Why the real agent cannot run here, or undefined: it is a Linux program, whatever runs it. */
export const noAgentReason: string | undefined =
  process.platform === 'linux' ? undefined : `the agent does not run on ${process.platform}`;

export interface RealAgent extends ConnectedGuest {
  readonly child: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** Runs the agent as a process of the host that speaks the protocol on its standard input and output. */
export const startAgent = async (): Promise<RealAgent> => {
  const child = spawn(agentProgram(), ['--stdio'], {stdio: ['pipe', 'pipe', 'ignore']});
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const {guest, connection} = await connectChannel({
    channel: Duplex.from({readable: child.stdout, writable: child.stdin}),
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    lastLines: () => [],
  });
  return {
    guest,
    connection,
    child,
    stop: async () => {
      guest.close();
      child.kill('SIGKILL');
      await ended;
    },
  };
};
