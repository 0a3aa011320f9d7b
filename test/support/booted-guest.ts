/** A VM by its launcher alone, without the command line. */
import {text} from 'node:stream/consumers';
import {connectGuest} from '../../src/guest/connect.js';
import type {Guest} from '../../src/guest/guest.js';
import type {Launcher, LaunchOptions, Machine, MachineSpec} from '../../src/launcher/launcher.js';
import {silentProgress} from '../../src/model/progress.js';

export const launchOptions = (signal = new AbortController().signal): LaunchOptions => ({
  progress: silentProgress,
  signal,
});

export interface BootedGuest {
  readonly machine: Machine;
  readonly guest: Guest;
}

/** Provisions, boots and greets a VM. */
export const bootGuest = async (
  launcher: Pick<Launcher, 'provision' | 'boot'>,
  spec: MachineSpec,
  signal = new AbortController().signal,
): Promise<BootedGuest> => {
  await launcher.provision(spec, launchOptions(signal));
  const machine = await launcher.boot(spec, launchOptions(signal));
  const {channel, lastLines} = machine;
  try {
    return {machine, guest: await connectGuest({channel, timeoutMs: 60_000, signal, lastLines})};
  } catch (error) {
    await machine.kill();
    throw error;
  }
};

/** Standard output and error of a shell command in the guest. */
export const shell = async (guest: Guest, command: string): Promise<string> => {
  const session = guest.exec({
    argv: ['/bin/sh', '-c', `exec 2>&1; ${command}`],
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    cwd: '/',
    user: '',
  });
  session.stdin.end();
  session.stderr.resume();
  const [output] = await Promise.all([text(session.stdout), session.exit]);
  return output;
};
