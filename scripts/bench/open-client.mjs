// @ts-check
import {join} from 'node:path';

/**
 * A client of a running VM's monitor that stays open: what the command line is, without its own start and end.
 * @param {import('./ground.mjs').Ground} ground
 * @param {string} id of a VM that is up
 */
export const openClient = async ({parts, paths, uid, signal}, id) => {
  const socket = parts.socketPath({stateFolder: paths.root, runtimeFolder: paths.runtime, uid}, id);
  return await parts.connectMonitor({id, socket, folder: join(paths.vms, id)}, {signal});
};
