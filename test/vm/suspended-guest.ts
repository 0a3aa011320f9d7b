/** A guest that stood still and goes on in the same VMM, as if it had been saved in between. */
import {connectGuest} from '../../src/guest/connect.js';
import type {Guest} from '../../src/guest/guest.js';
import {encodeStart, type Start} from '../../src/guest/start-frame.js';
import type {Launcher, Machine, MachineSpec} from '../../src/launcher/launcher.js';
import {launchOptions} from '../support/booted-guest.js';
import {tap} from './tapped-channel.js';

const DEADLINE_MS = 60_000;

export interface StillGuest {
  readonly machine: Machine;
  /** START, and whoever says HELLO then. */
  readonly start: (start: Start) => Promise<Guest>;
}

/** Boots a VM, lets `use` work in it and has it stand still. */
export const suspendGuest = async (
  launcher: Pick<Launcher, 'provision' | 'boot'>,
  spec: MachineSpec,
  use: (guest: Guest) => Promise<unknown>,
): Promise<StillGuest> => {
  await launcher.provision(spec, launchOptions());
  const machine = await launcher.boot(spec, launchOptions());
  const {signal} = new AbortController();
  const connect = (channel: Machine['channel']): Promise<Guest> =>
    connectGuest({channel, timeoutMs: DEADLINE_MS, signal, lastLines: machine.lastLines});
  try {
    const {channel, release} = tap(machine.channel);
    const guest = await connect(channel);
    await use(guest);
    await guest.suspend(DEADLINE_MS);
    release();
    return {
      machine,
      start: async (start) => {
        const connected = connect(machine.channel);
        machine.channel.write(encodeStart(start));
        return await connected;
      },
    };
  } catch (error) {
    await machine.kill();
    throw error;
  }
};
