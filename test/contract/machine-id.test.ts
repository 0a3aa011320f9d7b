/** What tells a VM from every other, as its programs see it. */
import {afterEach, describe, expect, it} from 'vitest';
import {guestStderr} from '../support/guest-stderr.js';
import {useBench} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();

describe.each(launchers)('with $name', (launcher) => {
  const {vm, create, cleanAll, image} = useBench(launcher, images);
  afterEach(cleanAll);

  const machineId = async (...args: readonly string[]): Promise<string> => {
    const result = await vm([...args, '--cmd', 'stat -c %a /etc/machine-id; cat /etc/machine-id']);
    expect([result.code, guestStderr(result)]).toEqual([0, '']);
    const [mode, id = '', rest] = result.stdout.toString().split('\n');
    expect([mode, rest]).toEqual(['444', '']);
    expect(id).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    return id;
  };

  it('a machine id is the same at each boot of a VM, and no other VM has it', async () => {
    const [one, other] = await Promise.all([create(), create()]);
    const first = await machineId('exec', '--vm', one);
    expect((await vm(['stop', '--vm', one])).code).toBe(0);
    expect(await machineId('exec', '--vm', one)).toBe(first);
    const all = [
      first,
      await machineId('exec', '--vm', other),
      await machineId('temp', ...image()),
      await machineId('temp', ...image()),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});
