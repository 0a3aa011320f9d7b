import {spawn} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {withFileLock} from '../../scripts/prepare/lock.mjs';
import {createTree} from './temp-tree.js';

it('lets one after the other in, and says who is waited for', async () => {
  const file = join(createTree({}), 'dist', 'prepare.lock');
  const order: string[] = [];
  const waits = new EventEmitter();
  const waited = once(waits, 'wait');
  const first = withFileLock(file, async () => {
    order.push('first in');
    expect(await waited).toEqual([process.pid]);
    order.push('first out');
  });
  const second = withFileLock(file, async () => void order.push('second in'), {
    onWait: (pid) => waits.emit('wait', pid),
  });
  await Promise.all([first, second]);
  expect(order).toEqual(['first in', 'first out', 'second in']);
  expect(existsSync(file)).toBe(false);
});

it('does not wait for a holder that died', async () => {
  const file = join(createTree({}), 'prepare.lock');
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  writeFileSync(file, `${child.pid}\n`);
  expect(await withFileLock(file, async () => 'done')).toBe('done');
});

it('lets the next one in after a failure', async () => {
  const file = join(createTree({}), 'prepare.lock');
  await expect(withFileLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withFileLock(file, async () => 'done')).toBe('done');
});
