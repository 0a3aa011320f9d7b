import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {afterEach, describe, expect, it} from 'vitest';
import {endVmms} from '../../../src/launcher/common/end-vmms.js';
import {markerOf} from '../../../src/launcher/qemu/parts.js';
import {isQemu} from '../../../src/launcher/qemu/qemu-launcher.js';
import {identifyProcess, isAlive} from '../../../src/process/identity.js';

const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A process that looks like a VMM; resolves when it runs. */
const pretend = async (...args: string[]) => {
  const code = `console.log('up'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', code, '--', ...args], {stdio: ['ignore', 'pipe', 'ignore']});
  running.push(child);
  if (child.stdout) await once(child.stdout, 'data');
  const ref = identifyProcess(child.pid ?? 0);
  if (ref === undefined) throw new Error('the process has ended');
  return ref;
};

describe('endVmms', () => {
  it('ends the VMMs of that VM and no others', async () => {
    const ours = await pretend('-name', 'guest=agent-1-python-1');
    const others = await Promise.all(
      [
        'guest=agent-1-python-12',
        'guest=agent-2-python-1',
        'agent-1-python-1',
        'x,guest=agent-1-python-1',
      ].map(async (name) => await pretend('-name', name)),
    );
    await endVmms(isQemu('agent-1-python-1'));
    expect(isAlive(ours)).toBe(false);
    expect(others.map(isAlive)).toEqual([true, true, true, true]);
  });

  it('takes what is gone as success', async () => {
    await endVmms(isQemu('agent-1-gone'));
  });
});

describe('markerOf', () => {
  it('differs between state directories and between VMs', () => {
    const markers = [
      markerOf({cacheFolder: '/a/boot'}, 'x'),
      markerOf({cacheFolder: '/b/boot'}, 'x'),
      markerOf({cacheFolder: '/a/boot'}, 'y'),
    ];
    expect(new Set(markers).size).toBe(3);
    expect(markerOf({cacheFolder: '/a/boot/'}, 'x')).toBe(markers[0]);
  });

  it.each(['', 'a,b', 'a b', '../x', '-x', 'a\n'])('refuses the id %j', (id) => {
    expect(() => markerOf({cacheFolder: '/a'}, id)).toThrow('Not a VM id');
  });
});
