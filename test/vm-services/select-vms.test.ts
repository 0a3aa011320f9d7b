import {describe, expect, it} from 'vitest';
import {findVm, type Selection, selectVms} from '../../src/vm/select-vms.js';
import {someRecord} from '../support/some-records.js';

const first = someRecord({id: 'python-aaaa0001', labels: {team: 'web', tier: 'a'}});
const second = someRecord({id: 'python-aaaa0002', name: 'builder', labels: {team: 'web'}});
const third = someRecord({id: 'node-bbbb0003', name: 'python-aaaa', labels: {constructor: 'x'}});
const records = [first, second, third];

const select = (change: Partial<Selection>) =>
  selectVms(records, {vms: [], all: false, labels: {}, ...change});

describe('one VM', () => {
  it.each([
    ['its id', 'python-aaaa0001', first],
    ['its name', 'builder', second],
    ['the start of its id', 'node', third],
    ['a name that is also the start of other ids', 'python-aaaa', third],
  ])('is found by %s', (_, wanted, expected) => {
    expect(findVm(records, wanted)).toBe(expected);
  });

  it.each([
    ['an unknown name', 'nobody', 'VM_NOT_FOUND'],
    ['nothing', '', 'VM_NOT_FOUND'],
    ['the start of a name', 'build', 'VM_NOT_FOUND'],
    ['the start of two ids', 'python-aaaa000', 'VM_AMBIGUOUS'],
  ])('is not found by %s', (_, wanted, code) => {
    expect(() => findVm(records, wanted)).toThrow(expect.objectContaining({code}));
  });

  it('is told apart from those that begin alike', () => {
    expect(() => findVm(records, 'python-aaaa0')).toThrow(
      expect.objectContaining({details: [first.id, second.id], message: "'python-aaaa0' matches 2 VMs."}),
    );
  });
});

describe('a selection', () => {
  it.each<[string, Partial<Selection>, readonly unknown[]]>([
    ['all', {all: true}, records],
    ['one label', {labels: {team: 'web'}}, [first, second]],
    ['two labels', {labels: {team: 'web', tier: 'a'}}, [first]],
    ['a label with another value', {labels: {team: 'db'}}, []],
    ['a label that every object has', {labels: {toString: 'x'}}, []],
    ['names, in the order asked for', {vms: ['builder', first.id]}, [second, first]],
    ['one VM asked for twice', {vms: ['builder', second.id]}, [second]],
  ])('by %s', (_, selection, expected) => {
    expect(select(selection)).toEqual(expected);
  });

  it.each<[string, Partial<Selection>]>([
    ['nothing', {}],
    ['--vm with --all', {vms: ['builder'], all: true}],
    ['--vm with --label', {vms: ['builder'], labels: {team: 'web'}}],
  ])('is refused for %s', (_, selection) => {
    expect(() => select(selection)).toThrow(expect.objectContaining({code: 'USAGE'}));
  });
});
