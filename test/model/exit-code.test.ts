import {describe, expect, it} from 'vitest';
import {AgentError, type ErrorCode, toAgentError} from '../../src/model/errors.js';
import {exitCodeOf, firstFailure} from '../../src/model/exit-code.js';
import {isVmId} from '../../src/model/vm-id.js';

describe('the exit code', () => {
  it.each<[ErrorCode, number]>([
    ['USAGE', 2],
    ['VM_NOT_FOUND', 2],
    ['VM_AMBIGUOUS', 2],
    ['VM_NAME_TAKEN', 2],
    ['BROKEN_PIPE', 141],
    ['VM_BUSY', 125],
    ['STATE_CORRUPT', 125],
    ['DISK_FULL', 125],
    ['INTERNAL', 125],
  ])('for %s is %d where our own failures are 125', (code, expected) => {
    expect(exitCodeOf(code, 125)).toBe(expected);
  });

  it('over several VMs is the first that is not 0', () => {
    expect(firstFailure([])).toBe(0);
    expect(firstFailure([0, 0])).toBe(0);
    expect(firstFailure([0, 3, 125])).toBe(3);
  });
});

describe('anything thrown', () => {
  it.each([
    [Object.assign(new Error('write'), {code: 'ENOSPC'}), 'DISK_FULL'],
    [Object.assign(new Error('write'), {code: 'EDQUOT'}), 'DISK_FULL'],
    [new Error('x'), 'INTERNAL'],
    ['text', 'INTERNAL'],
    [undefined, 'INTERNAL'],
    [new AgentError('VM_BUSY', 'busy'), 'VM_BUSY'],
  ])('becomes an error of ours: %#', (thrown, code) => {
    expect(toAgentError(thrown).code).toBe(code);
  });
});

describe('an id', () => {
  it.each(['python-0123abcd', 'vm-zzzzzzzz'])('is %s', (text) => {
    expect(isVmId(text)).toBe(true);
  });

  it.each([
    '',
    '..',
    'python',
    'python-0123abc',
    'python-0123abcd/..',
    'a/b-01234567',
    'python-0123abcd\n',
    'Python-0123abcd',
  ])('is not %j', (text) => {
    expect(isVmId(text)).toBe(false);
  });
});
