/** What can happen to a VM of the fault matrix, and to those who are at work on it. */
import {closeSync, openSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {type Cell, type FaultName, inGuest, monitorOf, recordOf} from './fault-cell.js';
import type {AtWork, PhaseName} from './fault-phases.js';

type Strike = (cell: Cell, phase: PhaseName, work: AtWork | undefined) => Promise<void>;

const signalTo =
  (signal: NodeJS.Signals): Strike =>
  async (_cell, phase, work) => {
    if (!work) throw new Error(`no command line is at work when a VM is ${phase}`);
    process.kill(work.pid, signal);
  };

const killMonitor: Strike = async (cell) => {
  process.kill(monitorOf(cell), 'SIGKILL');
};

const killVmm: Strike = async (cell) => {
  const pid = (await recordOf(cell))?.vmm?.pid;
  if (pid === undefined) throw new Error('there is no VMM');
  process.kill(pid, 'SIGKILL');
};

/** By a process that the guest has in the background, or by a command of its own, which is then told of it. */
const panic: Strike = async (cell, phase) => {
  const now = 'echo c > /proc/sysrq-trigger';
  if (phase === 'idle') await inGuest(cell, `(sleep 1; ${now}) >/dev/null 2>&1 &`);
  else if (phase !== 'stopping') await inGuest(cell, `${now}; sleep 60`, 125);
};

/** To the last byte. */
const fillDisk: Strike = async ({disk}) => {
  if (disk === null) throw new Error('there is no disk to fill');
  const file = openSync(join(disk, 'filling'), 'w');
  for (const size of [1024 ** 2, 4_096, 1]) {
    const chunk = Buffer.alloc(size, 'x');
    try {
      for (;;) writeSync(file, chunk);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }
  closeSync(file);
};

export const faults: Readonly<Record<FaultName, Strike>> = {
  'kill -9 CLI': signalTo('SIGKILL'),
  'SIGTERM CLI': signalTo('SIGTERM'),
  'kill -9 monitor': killMonitor,
  'kill -9 VMM': killVmm,
  'disk full': fillDisk,
  panic,
};
