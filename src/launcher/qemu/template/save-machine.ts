/** Writes a whole running machine, its memory included, into a file: QEMU's migration, through a socket of ours. */
import {chmodSync, closeSync, constants, openSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import * as z from 'zod/mini';
import {AgentError, deadlineError} from '../../../model/errors.js';
import {SAVE_SOCKET} from '../machine/plan-machine.js';
import type {Qmp} from './qmp.js';

export interface SaveRequest {
  readonly qmp: Qmp;
  /** Path of the socket as the VMM sees it. */
  readonly savePath: string;
  /** Where the socket is made; the VMM has it open. */
  readonly folder: string;
  readonly path: string;
  /** More than that is no machine of ours. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

const SAVE_DEADLINE_MS = 120_000;
const POLL_MS = 20;
const NO_LIMIT = 1024 ** 4; // bytes per second

/** Rejects with BOOT_FAILED, DEADLINE or DISK_FULL; `path` is not to be used then. */
export const saveMachine = async (request: SaveRequest): Promise<void> => {
  const folder = openSync(request.folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const receiver = await receive(request, folder);
    try {
      const late = sleep(SAVE_DEADLINE_MS, 'late' as const, {ref: false});
      const first = await Promise.race([Promise.all([receiver.done, migrate(request)]), late]);
      if (first === 'late') throw deadlineError('saving the VM', SAVE_DEADLINE_MS);
    } finally {
      receiver.close();
    }
  } finally {
    closeSync(folder);
  }
};

interface Receiver {
  /** Resolves when QEMU has sent all and closed. */
  readonly done: Promise<void>;
  readonly close: () => void;
}

/** Our path may be too long for a socket's name; the descriptor of its folder makes it short: unix(7), proc(5). */
const receive = async (request: SaveRequest, folder: number): Promise<Receiver> => {
  const server = createServer({allowHalfOpen: false});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`/proc/self/fd/${folder}/${SAVE_SOCKET}`, resolve);
  });
  chmodSync(join(request.folder, SAVE_SOCKET), 0o777); // the VMM is another user; nobody else gets to this folder
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  return {
    done: connected.then(async (socket) => await keep(socket, request)),
    close: () => {
      server.close();
      void connected.then((socket) => socket.destroy());
    },
  };
};

const keep = async (socket: Socket, {path, mostBytes}: SaveRequest): Promise<void> => {
  const file = await open(path, 'wx', 0o600);
  try {
    let bytes = 0;
    for await (const chunk of socket) {
      bytes += chunk.length;
      if (bytes > mostBytes)
        throw new AgentError('BOOT_FAILED', 'QEMU sends more than the memory of the VM.');
      await file.writev(Array.isArray(chunk) ? chunk : [chunk]);
    }
    await file.sync();
  } finally {
    await file.close();
  }
};

const progressSchema = z.object({
  status: z.string(),
  'error-desc': z.optional(z.string().check(z.maxLength(1_000))),
});

/** The guest runs on meanwhile: what goes on from there then does so by itself. */
const migrate = async ({qmp, savePath, signal}: SaveRequest): Promise<void> => {
  await qmp.execute('migrate-set-parameters', {'max-bandwidth': NO_LIMIT});
  await qmp.execute('migrate', {uri: `unix:${savePath}`});
  for (;;) {
    signal.throwIfAborted();
    const {status, 'error-desc': reason} = progressSchema.parse(await qmp.execute('query-migrate'));
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') {
      throw new AgentError('BOOT_FAILED', `QEMU does not save the VM: ${reason ?? status}.`);
    }
    await sleep(POLL_MS);
  }
};
