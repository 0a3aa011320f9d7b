/** Starts a VM from a template instead of booting it. */
import {encodeStart} from '../../../guest/start-frame.js';
import {toAgentError} from '../../../model/errors.js';
import type {Progress} from '../../../model/progress.js';
import type {Machine, Restored, TemplateSpec} from '../../launcher.js';
import {type LaunchRequest, launch} from '../launch.js';
import type {Parts} from '../parts.js';
import {identityOf} from './saved-file.js';
import {keyOf} from './template-key.js';
import {findSound, noteUse, removeTemplate} from './template-store.js';

export interface RestoreRequest extends LaunchRequest {
  readonly savedPath: string;
  /** What the file is known to be: see `identityOf`. */
  readonly identity: string;
  readonly discard: () => Promise<void>;
}

/** The VM runs as soon as QEMU has read the file; its agent says HELLO then. */
export const restore = async (request: RestoreRequest): Promise<Machine> => {
  const {savedPath, identity, discard, disks, hostName} = request;
  const machine = await launch({...request, template: {role: 'copy', savedPath}});
  machine.channel.write(
    encodeStart({
      hostName,
      upper: disks?.upperPath ? '/dev/vdb' : null,
      persist: disks?.persistPath ? (disks.upperPath ? '/dev/vdc' : '/dev/vdb') : null,
    }),
  );
  const restored: Restored = {isSound: () => identityOf(savedPath) === identity, discard};
  return {...machine, restored};
};

interface Lookup {
  readonly spec: TemplateSpec;
  /** Where templates lie. */
  readonly folder: string;
  readonly progress: Progress;
}

/** Undefined where there is no sound template for it, or none that can be used: then it has to boot. */
export const tryToRestore = async (
  request: LaunchRequest,
  {spec, folder, progress}: Lookup,
): Promise<Machine | undefined> => {
  if (!canSave(request.parts)) return undefined;
  const key = await keyOf(spec, request);
  try {
    const found = await findSound(folder, key);
    if (typeof found === 'string') {
      progress.detail(found === 'none' ? 'there is no template for VMs like it' : 'its template was damaged');
      return undefined;
    }
    await noteUse(found);
    return await restore({...request, ...found, discard: async () => await removeTemplate(folder, key)});
  } catch (error) {
    request.signal.throwIfAborted();
    progress.detail(`the template cannot be used: ${toAgentError(error).message}`);
    return undefined;
  }
};

/** What a saved machine is handed through, /proc/self/fd, is Linux's. */
export const canSave = ({host}: Pick<Parts, 'host'>): boolean => host.platform === 'linux';
