/** Monitors as processes of this machine: implements src/monitor/monitors.ts. */
import {existsSync, rmSync} from 'node:fs';
import {dirname} from 'node:path';
import {connectMonitor} from './connect-monitor.js';
import {MonitorGoneError} from './monitor-gone.js';
import type {MonitorPlace, Monitors} from './monitors.js';
import {makeSocketFolder, refuseForeignSockets, type SocketPlace, socketPath} from './socket-path.js';
import type {MonitorProgram} from './start-monitor.js';

export const createMonitors = (options: SocketPlace & MonitorProgram): Monitors => ({
  socketOf: (id) => {
    const path = socketPath(options, id);
    makeSocketFolder(dirname(path), options.uid);
    return path;
  },
  tidy: (id) => rmSync(socketPath(options, id), {force: true}),
  start: async (vm, startOptions) => {
    const {startMonitor} = await import('./start-monitor.js');
    await startMonitor(options, vm, startOptions);
  },
  connect: async (place, {signal}) => {
    refuseForeign(place, options.uid);
    return await connectMonitor(place, {signal});
  },
  status: async (place, timeoutMs) => {
    try {
      refuseForeign(place, options.uid);
      const {signal} = new AbortController();
      const {status, close} = await connectMonitor(place, {signal, timeoutMs});
      close();
      return status;
    } catch {
      return undefined; // whatever keeps it from answering
    }
  },
});

const refuseForeign = ({id, socket}: MonitorPlace, uid: number): void => {
  if (existsSync(dirname(socket))) refuseForeignSockets(dirname(socket), uid);
  else throw new MonitorGoneError(id, undefined);
};
