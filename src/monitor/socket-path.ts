import {createHash} from 'node:crypto';
import {lstatSync, mkdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {AgentError} from '../model/errors.js';

export interface SocketPlace {
  /** `<state>`: VMs of other state directories have other sockets. */
  readonly stateFolder: string;
  readonly runtimeFolder: string;
  readonly uid: number;
}

/** unix(7): 108 bytes with the terminating NUL; macOS has four less. */
const MAX_PATH = 103;

/** The same for every process that asks. Makes nothing. */
export const socketPath = ({stateFolder, runtimeFolder, uid}: SocketPlace, id: string): string => {
  const name = `${createHash('sha256').update(`${stateFolder}\0${id}`).digest('hex').slice(0, 16)}.sock`;
  const path = join(runtimeFolder, name);
  return Buffer.byteLength(path) <= MAX_PATH ? path : join(tmpdir(), `agent-${uid}-run`, name);
};

/** Makes the folder of a socket, and refuses one in which others could replace it. */
export const makeSocketFolder = (folder: string, uid: number): void => {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  refuseForeignSockets(folder, uid);
};

/** Whoever could replace the socket would be told what is meant for the guest, and could answer for it. */
export const refuseForeignSockets = (folder: string, uid: number): void => {
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0) return;
  throw new AgentError('STATE_UNUSABLE', `The folder '${folder}' is not private: sockets cannot lie there.`, {
    hints: ['set XDG_RUNTIME_DIR, or AGENT_STATE_DIR, to a folder of your own'],
  });
};
