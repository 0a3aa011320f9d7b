import {describe, expect, it} from 'vitest';
import type {MachineRequest} from '../../../../src/launcher/qemu/machine/machine-request.js';
import {planMachine} from '../../../../src/launcher/qemu/machine/plan-machine.js';
import {request, values} from './some-machine.js';

describe('a planned template', () => {
  const none = {rootPath: '/images/root', upperPath: null, persistPath: null};
  const source = planMachine(request({template: {role: 'source', folder: '/templates/new'}, disks: none}));
  const copy = (more: Partial<MachineRequest> = {}) =>
    planMachine(request({template: {role: 'copy', savedPath: '/templates/1/saved'}, ...more}));

  it('has the same devices and parameters in all its machines', () => {
    for (const plan of [copy(), copy({disks: none, hostName: 'other', marker: 'other'})]) {
      for (const option of ['-machine', '-cpu', '-smp', '-m', '-device', '-append', '-netdev', '-serial']) {
        expect(values(plan.args, option)).toEqual(values(source.args, option));
      }
    }
    expect(values(source.args, '-append')[0]).toMatch(/agent\.root=\/dev\/vda agent\.upper=tmpfs$/);
  });

  it('reaches nobody while it is made, whatever network its copies have', () => {
    const netdev = (plan: ReturnType<typeof planMachine>): string => values(plan.args, '-netdev')[0] ?? '';
    const role = {role: 'source', folder: '/templates/new'} as const;
    const made = planMachine(request({template: role, disks: none, network: 'allow_all'}));
    expect(netdev(made)).toMatch(/,restrict=on$/);
    expect(netdev(copy({network: 'allow_all'}))).not.toContain('restrict');
  });

  it('is saved through a socket in a folder that it has open, and told to by QMP', () => {
    expect(source.files.at(-1)).toEqual({path: '/images/root', writable: false});
    expect(source.files[2]).toEqual({path: '/templates/new', writable: false});
    expect(source.savePath).toBe('/proc/self/fd/7/s');
    expect(values(source.args, '-mon')).toEqual(['chardev=control,mode=control']);
    expect(values(source.args, '-chardev').at(-1)).toBe(`socket,id=control,fd=${5 + source.files.length}`);
  });

  it('is read by what goes on from it, and never written; disks that are not there are empty', () => {
    const {args, files, savePath} = copy({disks: none});
    expect(files[2]).toEqual({path: '/templates/1/saved', writable: false});
    expect(values(args, '-incoming')).toEqual(['fd:7']);
    expect(args.filter((arg) => ['-mon', '-qmp', '-S'].includes(arg))).toEqual([]);
    expect(savePath).toBeNull();
    expect(values(args, '-blockdev').slice(1)).toEqual([
      'driver=null-co,node-name=upper,size=1048576,read-zeroes=on',
      'driver=null-co,node-name=persist,size=1048576,read-zeroes=on',
    ]);
  });
});
