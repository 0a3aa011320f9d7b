import type {Guest} from '../guest/guest.js';
import type {MachineSpec} from '../launcher/launcher.js';
import {toAgentError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import {type BootedMachine, bootMachine} from './boot-machine.js';
import {changeOwn, claim, moveTo} from './lifecycle.js';
import {whileOwned} from './ownership.js';
import type {VmContext} from './vm-context.js';
import {hasNamedVolume} from './volumes.js';

/** A VM that is up, and its guest. */
export interface UpVm {
  readonly guest: Guest;
  readonly accelerator: string;
  /** How long it took until the guest could be used: a boot, or a connection. */
  readonly readyMs: number;
}

/**
 * Boots a temporary VM in this very process, lets `use` work in it, and ends it whatever happens. The record says so at
 * each step.
 */
export const withBootedVm = async <T>(
  context: VmContext,
  {record, spec}: {readonly record: VmRecord; readonly spec: MachineSpec},
  use: (vm: UpVm, context: VmContext) => Promise<T>,
): Promise<T> => {
  context.store().update(record.id, (present) => claim(present, 'booting', context));
  return await whileOwned(context, record.id, (held) => bootAndUse(held, {record, spec}, use));
};

const bootAndUse = async <T>(
  context: VmContext,
  {record, spec}: {readonly record: VmRecord; readonly spec: MachineSpec},
  use: (vm: UpVm, context: VmContext) => Promise<T>,
): Promise<T> => {
  let booted: BootedMachine | undefined;
  try {
    booted = await bootMachine(context, {record, spec});
    const {guest, machine, bootMs} = booted;
    const result = await use({guest, accelerator: machine.accelerator, readyMs: bootMs}, context);
    await end(booted, record);
    finish(context, record, null);
    return result;
  } catch (error) {
    if (booted) await end(booted, record);
    finish(context, record, booted || context.signal.aborted ? null : toAgentError(error).message);
    throw error;
  }
};

const SHUTDOWN = {graceMs: 300, timeoutMs: 10_000} as const;

/** It has nothing to keep, but for a volume that somebody named: that gets written. */
const end = async ({guest, machine}: BootedMachine, record: VmRecord): Promise<void> => {
  if (hasNamedVolume(record)) {
    await guest.shutdown(SHUTDOWN).catch(() => {
      // A guest that does not answer is ended below; its file system has a journal.
    });
  }
  guest.close();
  await machine.kill();
};

const finish = (context: VmContext, record: VmRecord, failure: string | null): void => {
  context.store().update(record.id, (present) =>
    changeOwn(present, context.self, (own) => ({
      ...moveTo(own, {status: failure ? 'failed' : 'ready', owner: context.self, failure}),
      lastRunAt: context.now().toISOString(),
    })),
  );
};
