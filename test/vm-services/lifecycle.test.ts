import {describe, expect, it} from 'vitest';
import {type VmStatus, vmStatuses} from '../../src/model/vm-record.js';
import {changeOwn, claim, isBusy, moveTo, settle} from '../../src/vm/lifecycle.js';
import {someRecord} from '../support/some-records.js';

const mine = {pid: 100, startedAt: 'a'};
const another = {pid: 200, startedAt: 'b'};
const nobodyLives = (): boolean => false;
const allLive = (): boolean => true;

/** Every move that exists; all others are refused. */
const moves: Readonly<Record<VmStatus, readonly VmStatus[]>> = {
  provisioning: ['ready', 'failed', 'cleaning'],
  ready: ['booting', 'stopping', 'cleaning'],
  booting: ['running', 'ready', 'failed', 'stopping', 'cleaning'],
  running: ['ready', 'failed', 'stopping', 'cleaning'],
  stopping: ['stopped', 'ready', 'failed', 'cleaning'],
  stopped: ['booting', 'stopping', 'cleaning'],
  failed: ['booting', 'stopping', 'cleaning'],
  cleaning: ['cleaning'],
};

describe('a move', () => {
  it.each(
    vmStatuses.flatMap((from) => vmStatuses.map((to) => ({from, to, isMove: moves[from].includes(to)}))),
  )('from $from to $to: $isMove', ({from, to, isMove}) => {
    const record = someRecord({status: from, owner: another, failure: 'an old one', vmm: another});
    if (isMove) {
      const moved = moveTo(record, {status: to, owner: mine});
      expect(moved).toEqual({...record, status: to, owner: mine, vmm: null, failure: null});
    } else {
      expect(() => moveTo(record, {status: to})).toThrow(expect.objectContaining({code: 'VM_BUSY'}));
    }
  });

  it('that is refused says who is at work', () => {
    const record = someRecord({status: 'booting', owner: another});
    expect(() => moveTo(record, {status: 'booting'})).toThrow(
      expect.objectContaining({
        message: `VM '${record.id}' is booting.`,
        details: ['process 200 is at work on it'],
      }),
    );
  });
});

describe('a claim', () => {
  it('takes a VM that nobody is at work on', () => {
    const claimed = claim(someRecord(), 'booting', {self: mine, isAlive: allLive});
    expect(claimed).toMatchObject({status: 'booting', owner: mine});
  });

  it('is refused while another process lives that owns it', () => {
    const record = someRecord({owner: another});
    expect(() => claim(record, 'booting', {self: mine, isAlive: allLive})).toThrow(/is ready/);
  });

  it('does not mind an owner that is dead, or ourselves', () => {
    for (const owner of [another, mine]) {
      const isAlive = (ref: {pid: number}): boolean => ref.pid === mine.pid;
      const claimed = claim(someRecord({owner}), 'booting', {self: mine, isAlive});
      expect(claimed.owner).toEqual(mine);
    }
  });
});

describe('a change by the owner', () => {
  it.each([
    ['is made while it owns the VM', mine, true],
    ['is not made once somebody else owns it', another, false],
    ['is not made where a later process has its pid', {...mine, startedAt: 'later'}, false],
    ['is not made where nobody owns it', null, false],
  ])('%s', (_, owner, isMade) => {
    const record = someRecord({owner});
    const changed = changeOwn(record, mine, (own) => ({...own, cpus: 7}));
    expect(changed.cpus).toBe(isMade ? 7 : record.cpus);
  });
});

describe('a record whose owner has died', () => {
  const expected: Readonly<Record<VmStatus, VmStatus>> = {
    provisioning: 'failed',
    ready: 'ready',
    booting: 'stopped',
    running: 'stopped',
    stopping: 'stopped',
    stopped: 'ready',
    failed: 'ready',
    cleaning: 'failed',
  };

  it.each(vmStatuses.filter(isBusy))('that was %s is settled', (status) => {
    const record = someRecord({status, owner: another, vmm: another});
    const settled = settle(record, nobodyLives);
    expect(settled).toMatchObject({status: expected[status], owner: null});
    expect(settled.failure).toBe(
      expected[status] === 'failed' ? 'the process that worked on it was interrupted' : null,
    );
  });

  it.each(vmStatuses)('of a temporary VM that was %s is failed', (status) => {
    expect(settle(someRecord({status, owner: another, ephemeral: true}), nobodyLives).status).toBe('failed');
  });

  it.each(vmStatuses)('is left alone while the owner of what is %s lives', (status) => {
    const record = someRecord({status, owner: another});
    expect(settle(record, allLive)).toBe(record);
  });

  it.each(vmStatuses.filter((status) => !isBusy(status)))(
    'is left alone where nobody owned what is %s',
    (status) => {
      const record = someRecord({status});
      expect(settle(record, nobodyLives)).toBe(record);
    },
  );
});
