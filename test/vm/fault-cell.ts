/** One VM of the fault matrix: how a test brings it somewhere, strikes it, and looks at what is left of it. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import type {VmRecord} from '../../src/model/vm-record.js';
import {isAlive} from '../../src/process/identity.js';
import {openStoreToRead} from '../../src/state/vm-store.js';
import {settle} from '../../src/vm/lifecycle.js';
import type {Bench} from '../contract/bench.js';
import type {Differences} from '../contract/launchers.js';
import {mountsOf} from '../support/containers-state.js';
import {until} from '../support/until.js';
import {processesOf} from '../support/vm-state.js';

export type FaultName =
  | 'kill -9 CLI'
  | 'SIGTERM CLI'
  | 'kill -9 monitor'
  | 'kill -9 VMM'
  | 'disk full'
  | 'panic';

export interface Cell {
  readonly bench: Bench;
  readonly differences: Differences;
  readonly id: string;
  readonly fault: FaultName;
  /** A folder of the host whose disk is filled, where the fault is that one. */
  readonly disk: string | null;
}

export const recordOf = async ({bench, id}: Cell): Promise<VmRecord | undefined> => {
  const store = openStoreToRead(join(bench.state.path, 'agent.mdb'), process.getuid?.() ?? 0);
  return store?.list().records.find((record) => record.id === id);
};

/** The record, with what it means once its owner has died, when it is as wanted. */
export const whenRecord = async (
  cell: Cell,
  what: string,
  isSo: (record: VmRecord) => boolean,
): Promise<VmRecord> => {
  let found: VmRecord | undefined;
  const look = async (): Promise<boolean> => {
    const record = await recordOf(cell);
    found = record && settle(record, isAlive);
    return found !== undefined && isSo(found);
  };
  await until(`${cell.id} ${what}`, look, 40_000).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${found?.status}`);
  });
  if (!found) throw new Error(`${cell.id} has gone`);
  return found;
};

/** Of its processes, the one that is the monitor. */
export const monitorOf = ({bench, id}: Cell): number => {
  const line = processesOf(bench.state).find((each) => each.includes(`monitor-main.js ${id}`)) ?? '';
  expect(line).not.toBe('');
  return Number.parseInt(line, 10);
};

/** A command in the guest, to its end. */
export const inGuest = async ({bench, id}: Cell, command: string, expected = 0): Promise<void> => {
  const {code, stderr} = await bench.vm(['exec', '--vm', id, '--cmd', command], {timeoutMs: 60_000});
  expect({code, stderr: code === expected ? '' : stderr}).toEqual({code: expected, stderr: ''});
};

/** `list`, `stop` and `clean` work, and nothing of the VM is left then. */
export const expectOrderlyEnd = async (cell: Cell, socket: string): Promise<void> => {
  const {bench, id} = cell;
  for (const [verb, after] of [
    ['stop', 'stopped'],
    ['clean', undefined],
  ] as const) {
    const {code, stderr} = await bench.vm([verb, '--vm', id], {timeoutMs: 60_000});
    expect({verb, code, stderr}).toEqual({verb, code: 0, stderr: ''});
    expect((await recordOf(cell))?.status).toBe(after);
    expect(processesOf(bench.state).filter((line) => line.includes(id))).toEqual([]);
  }
  const paths = [socket, ...['vms', 'persist', 'krunvm'].map((name) => join(bench.state.path, name, id))];
  expect(paths.filter((path) => existsSync(path))).toEqual([]);
  expect(mountsOf(bench.state).filter((line) => line.includes(id))).toEqual([]);
};
