/**
 * Whatever happens to a VM, and whenever: nothing hangs, the error names the cause, and `list`, `stop` and `clean` work
 * afterwards and leave nothing.
 */
import {describe, expect, it} from 'vitest';
import type {VmStatus} from '../../src/model/vm-record.js';
import {type Bench, useBench} from '../contract/bench.js';
import {launchers} from '../contract/launchers.js';
import {useSmallImage} from '../contract/small-images.js';
import {jsonLines} from '../support/agent.js';
import {makeSmallDisk} from '../support/small-disk.js';
import {createTurns} from '../support/turns.js';
import {type Cell, expectOrderlyEnd, type FaultName, recordOf, whenRecord} from './fault-cell.js';
import {type PhaseName, phases, type WorkEnd} from './fault-phases.js';
import {faults} from './faults.js';

interface Outcome {
  /** How the command line that is at work ends; null where none is. */
  readonly ends: number | null;
  /** What its error says of the cause. */
  readonly says?: RegExp;
  /** What the VM is then, or may be. */
  readonly after: VmStatus | readonly VmStatus[];
}

/** Or why the cell is empty. */
type Row = Readonly<Record<FaultName, Outcome | string>>;

const noCli = 'no command line is at work';
const monitorGone = /monitor of VM '\S+' (has ended unexpectedly|ended while the VM booted)/;
const vmmGone = /ended/;
const noSpace = /DISK_FULL/;
/** By the command's log first, or by the guest, which cannot write its own disk any more. */
const noticed = ['running', 'failed'] as const;
const panicked = /ended|panic/;

const matrix: Readonly<Record<PhaseName, Row>> = {
  booting: {
    'kill -9 CLI': {ends: 137, after: 'running'},
    'SIGTERM CLI': {ends: 143, after: 'ready'},
    'kill -9 monitor': {ends: 125, says: monitorGone, after: 'stopped'},
    'kill -9 VMM': {ends: 125, says: vmmGone, after: 'failed'},
    'disk full': {ends: 125, says: noSpace, after: noticed},
    panic: 'nobody in the guest could be told to cause one',
  },
  idle: {
    'kill -9 CLI': noCli,
    'SIGTERM CLI': noCli,
    'kill -9 monitor': {ends: null, after: 'stopped'},
    'kill -9 VMM': {ends: null, after: 'failed'},
    'disk full': {ends: null, after: 'running'},
    panic: {ends: null, after: 'failed'},
  },
  'exec running': {
    'kill -9 CLI': {ends: 137, after: 'running'},
    'SIGTERM CLI': {ends: 143, after: 'running'},
    'kill -9 monitor': {ends: 125, says: monitorGone, after: 'stopped'},
    'kill -9 VMM': {ends: 125, says: vmmGone, after: 'failed'},
    'disk full': {ends: 125, says: noSpace, after: noticed},
    panic: {ends: 125, says: panicked, after: 'failed'},
  },
  'shell open': {
    'kill -9 CLI': {ends: 137, after: 'running'},
    'SIGTERM CLI': {ends: 143, after: 'running'},
    'kill -9 monitor': {ends: 125, says: monitorGone, after: 'stopped'},
    'kill -9 VMM': {ends: 125, says: vmmGone, after: 'failed'},
    'disk full': 'a shell writes nothing to the disk of the host',
    panic: {ends: 125, says: panicked, after: 'failed'},
  },
  copying: {
    'kill -9 CLI': {ends: 137, after: 'running'},
    'SIGTERM CLI': {ends: 143, after: 'running'},
    'kill -9 monitor': {ends: 1, says: monitorGone, after: 'stopped'},
    'kill -9 VMM': {ends: 1, says: vmmGone, after: 'failed'},
    'disk full': {ends: 1, says: noSpace, after: 'running'},
    panic: {ends: 1, says: panicked, after: 'failed'},
  },
  stopping: {
    'kill -9 CLI': {ends: 137, after: 'stopped'},
    'SIGTERM CLI': {ends: 143, after: 'stopped'},
    'kill -9 monitor': {ends: 0, after: 'stopped'},
    'kill -9 VMM': {ends: 0, after: 'stopped'},
    'disk full': {ends: 0, after: 'stopped'},
    panic: {ends: 0, after: 'stopped'},
  },
};

/** A guest of QEMU's is asked for where the VMM, the guest's kernel or its disk matter; krunvm's test double is faster. */
const launcherFor = (fault: FaultName): (typeof launchers)[number] => {
  const name = fault === 'kill -9 VMM' || fault === 'disk full' || fault === 'panic' ? 'qemu' : 'krunvm';
  const found = launchers.find((each) => each.name === name);
  if (!found) throw new Error(`there is no launcher ${name}`);
  return found;
};

const END_DEADLINE_MS = 30_000;
const images = await useSmallImage();
const turns = createTurns(2);

const tryCell = async (
  bench: Bench,
  {phase, fault, outcome, disk}: {phase: PhaseName; fault: FaultName; outcome: Outcome; disk: string | null},
): Promise<void> => {
  const {differences} = launcherFor(fault);
  const cell: Cell = {bench, differences, id: await bench.create(), fault, disk};
  const work = await phases[phase](cell);
  const socket = (await recordOf(cell))?.socket ?? '/nowhere';
  await faults[fault](cell, phase, work);
  const struckAt = Date.now();
  if (work) expectEnding(await work.ended, outcome);
  const after = [outcome.after].flat();
  const {status} = await whenRecord(cell, `is ${after}`, (record) => after.includes(record.status));
  expect(Date.now() - struckAt).toBeLessThan(END_DEADLINE_MS);
  expect((await bench.vms()).find(({id}) => id === cell.id)).toMatchObject({status});
  await expectOrderlyEnd(cell, socket);
};

const expectEnding = ({code, stderr}: WorkEnd, {ends, says}: Outcome): void => {
  expect({ends: code, stderr: code === ends ? '' : stderr}).toEqual({ends, stderr: ''});
  if (!says) return;
  const errors = jsonLines(stderr).filter(({level}) => level === 'error');
  expect(errors).toMatchObject([{code: expect.any(String)}]);
  expect(JSON.stringify(errors)).toMatch(says);
};

const cellsOf = (fault: FaultName) =>
  (Object.keys(phases) as PhaseName[]).map((phase) => ({phase, fault, outcome: matrix[phase][fault]}));

describe.concurrent.each(Object.keys(faults) as FaultName[])('%s', (fault) => {
  const bench = fault === 'disk full' ? undefined : useBench(launcherFor(fault), images);
  for (const {phase, outcome} of cellsOf(fault)) {
    if (typeof outcome === 'string') {
      it(`while it is ${phase}: there is no such thing, since ${outcome}`, () => {
        expect(outcome).not.toBe('');
      });
      continue;
    }
    const disk = bench ? undefined : makeSmallDisk();
    const own = bench ?? useBench(launcherFor(fault), images, disk?.make);
    // One that waits for its turn does so within its time.
    it(`while it is ${phase}`, {timeout: 400_000}, () =>
      turns(async () => {
        disk?.mount();
        await tryCell(own, {phase, fault, outcome, disk: disk ? own.state.path : null});
      }),
    );
  }
});
