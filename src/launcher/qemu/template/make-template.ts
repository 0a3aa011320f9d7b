/** Makes a template: boots a VM, warms it, has its agent stand still, saves it, and proves that copies of it start. */
import {randomBytes} from 'node:crypto';
import {chmod, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {connectGuest} from '../../../guest/connect.js';
import type {Guest} from '../../../guest/guest.js';
import {AgentError} from '../../../model/errors.js';
import type {Machine, MakeTemplateOptions} from '../../launcher.js';
import {type LaunchRequest, planLaunch, startPlanned} from '../launch.js';
import {SAVE_SOCKET} from '../machine/plan-machine.js';
import {openQmp} from './qmp.js';
import {restore} from './restore.js';
import {saveMachine} from './save-machine.js';
import {identityOf} from './saved-file.js';
import type {TemplatePlace} from './template-store.js';

const BOOT_DEADLINE_MS = 60_000;
const SUSPEND_DEADLINE_MS = 30_000;
const SYNC_DEADLINE_MS = 10_000;
/** Beside its memory, a machine is saved with the state of its devices. */
const DEVICES_BYTES = 64 * 1024 ** 2;

/** What is at `savedPath` afterwards has started a VM. */
export const makeSaved = async (
  base: LaunchRequest,
  place: TemplatePlace,
  options: MakeTemplateOptions,
): Promise<void> => {
  await save(base, place, options);
  await prove(base, place);
};

const save = async (
  base: LaunchRequest,
  {folder, savedPath}: TemplatePlace,
  {warmUp, progress}: MakeTemplateOptions,
): Promise<void> => {
  const {signal, memoryMib} = base;
  const request: LaunchRequest = {...base, marker: newMarker(), template: {role: 'source', folder}};
  await chmod(folder, 0o711); // the VMM, another user, has to find the socket in it
  const planned = await planLaunch(request);
  const machine = await startPlanned(request, planned);
  try {
    const guest = await greet(machine, signal);
    progress.step('warming the guest');
    await warmUp(guest);
    progress.step('saving the guest');
    await guest.suspend(SUSPEND_DEADLINE_MS);
    if (machine.control === null || planned.plan.savePath === null)
      throw new AgentError('INTERNAL', 'No QMP.');
    await saveMachine({
      qmp: await openQmp(machine.control),
      savePath: planned.plan.savePath,
      folder,
      path: savedPath,
      mostBytes: memoryMib * 1024 ** 2 + DEVICES_BYTES,
      signal,
    });
    guest.close();
  } finally {
    await machine.kill();
    await rm(join(folder, SAVE_SOCKET), {force: true});
    await chmod(folder, 0o700);
  }
};

const prove = async (base: LaunchRequest, {savedPath}: TemplatePlace): Promise<void> => {
  const identity = identityOf(savedPath) ?? '';
  const discard = async (): Promise<void> => {}; // it is not in use yet
  const machine = await restore({...base, marker: newMarker(), savedPath, identity, discard});
  try {
    const guest = await greet(machine, base.signal);
    guest.close();
  } finally {
    await machine.kill();
  }
};

const greet = async ({channel, lastLines}: Machine, signal: AbortSignal): Promise<Guest> => {
  const guest = await connectGuest({channel, timeoutMs: BOOT_DEADLINE_MS, signal, lastLines});
  await guest.sync(SYNC_DEADLINE_MS);
  return guest;
};

const newMarker = (): string => `agent-template-${process.pid}-${randomBytes(4).toString('hex')}`;
