import {describe, expect, it} from 'vitest';
import {planCopy} from '../../src/vm/copy-places.js';

const guestPath = (typed: string) => {
  const plan = planCopy([typed, './here']);
  return plan.direction === 'out' ? plan.sources[0] : undefined;
};

describe('planCopy', () => {
  it('takes several sources of this machine into one VM', () => {
    expect(planCopy(['a', './b:c', '/d:e', 'vm-1:/srv/'])).toEqual({
      direction: 'in',
      vm: 'vm-1',
      sources: [
        {kind: 'path', path: 'a', isContent: false},
        {kind: 'path', path: './b:c', isContent: false},
        {kind: 'path', path: '/d:e', isContent: false},
      ],
      target: {path: '/srv', isFolder: true, isContent: false, typed: 'vm-1:/srv/'},
    });
  });

  it('takes several sources of one VM to this machine', () => {
    expect(planCopy(['a:/x', 'a:/y', 'there/.'])).toMatchObject({
      direction: 'out',
      vm: 'a',
      sources: [{path: '/x'}, {path: '/y'}],
      target: {kind: 'path', path: 'there/.', isContent: true},
    });
  });

  it.each([
    ['a:/x/y', {path: '/x/y', isFolder: false, isContent: false}],
    ['a:/x/', {path: '/x', isFolder: true, isContent: false}],
    ['a:/x/.', {path: '/x', isFolder: true, isContent: true}],
    ['a:/', {path: '/', isFolder: true, isContent: true}],
    ['a://x//../y', {path: '/y', isFolder: false, isContent: false}],
    ['a:/x:y', {path: '/x:y', isFolder: false, isContent: false}],
    ['a:/new\nline', {path: '/new\nline', isFolder: false, isContent: false}],
  ])('reads %j', (typed, expected) => {
    expect(guestPath(typed)).toEqual({...expected, typed});
  });

  it('knows standard input and output', () => {
    expect(planCopy(['-', 'a:/f'])).toMatchObject({sources: [{kind: 'stream'}]});
    expect(planCopy(['a:/f', '-'])).toMatchObject({target: {kind: 'stream'}});
    expect(planCopy(['./-', 'a:/f'])).toMatchObject({sources: [{kind: 'path', path: './-'}]});
  });

  it.each([
    [['a:/x'], 'A source and a target are needed.'],
    [['a:/x', 'b:/y'], 'Both sides are in a VM.'],
    [['x', 'y'], 'Neither side is in a VM.'],
    [['a:/x', 'b:/y', '.'], 'The sources are not all in one VM.'],
    [['a:/x', 'y', '.'], 'The sources are not all in one VM.'],
    [['a:x', '.'], "'a:x' has no absolute path behind the VM."],
    [['a:', '.'], "'a:' has no absolute path behind the VM."],
    [['-', 'x', 'a:/y'], 'Standard input does not go together with files.'],
    [['', 'a:/y'], 'A path is empty.'],
  ])('refuses %j', (words, message) => {
    expect(() => planCopy(words)).toThrow(expect.objectContaining({code: 'USAGE', message}));
  });
});
