/** The monitor's socket. */
import {chmodSync, rmSync} from 'node:fs';
import {createServer, type Server, type Socket} from 'node:net';
import {AgentError} from '../model/errors.js';

export interface ServerOptions {
  readonly path: string;
  readonly onClient: (socket: Socket) => void;
}

/** Listens at `path`, for our own user alone. Only the VM's owner may call it: what a dead owner left there goes. */
export const listen = async ({path, onClient}: ServerOptions): Promise<{readonly close: () => void}> => {
  rmSync(path, {force: true});
  const server = createServer({allowHalfOpen: false}, onClient);
  await opened(server, path);
  chmodSync(path, 0o600);
  return {
    // Node removes the socket's file.
    close: () => server.close(),
  };
};

const opened = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    // The folder is private, so that nobody else gets there before chmod.
    server.once('error', (error) =>
      reject(
        new AgentError('STATE_UNUSABLE', `The socket '${path}' cannot be made: ${error.message}`, {
          cause: error,
        }),
      ),
    );
    server.listen(path, resolve);
  });
