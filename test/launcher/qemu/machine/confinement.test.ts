import {describe, expect, it} from 'vitest';
import {type ConfinementRequest, planConfinement} from '../../../../src/launcher/qemu/machine/confinement.js';

const ALL = (1n << 41n) - 1n;
const EVERY_UID = [{first: 0, count: 4294967295}];
const root: ConfinementRequest['host'] = {
  platform: 'linux',
  uid: 0,
  capabilities: ALL,
  uidRanges: EVERY_UID,
  maySetGroups: true,
};
const tools = {setpriv: '/bin/setpriv', prlimit: '/bin/prlimit', unshare: '/bin/unshare'};
const plan = (more: Partial<ConfinementRequest> = {}) =>
  planConfinement({
    host: root,
    tools,
    vmNumber: 5,
    kvmGroup: null,
    offline: true,
    largestDiskBytes: 8 * 1024 ** 3,
    ...more,
  });

describe('planConfinement', () => {
  it('gives the VMM of root a user of its own, no capabilities and an empty network', () => {
    expect(plan()).toEqual({
      uid: 0x70000005,
      noNetwork: true,
      prefix: [
        ...['/bin/prlimit', '--core=0:0', '--fsize=8589934592:8589934592', '--nofile=1024:1024', '--'],
        ...['/bin/unshare', '--net', '--ipc', '--'],
        ...['/bin/setpriv', '--reuid=1879048197', '--regid=1879048197', '--clear-groups', '--no-new-privs'],
        ...['--inh-caps=-all', '--bounding-set=-all', '--pdeathsig', 'KILL', '--'],
      ],
    });
  });

  it('keeps the numbers of all VMs within their range', () => {
    expect(plan({vmNumber: 0xffffffff}).uid).toBe(0x70ffffff);
  });

  it('keeps the network where the guest has one', () => {
    expect(plan({offline: false}).prefix.join(' ')).not.toContain('unshare');
    expect(plan({offline: false}).noNetwork).toBe(false);
  });

  it('keeps the group of /dev/kvm alone', () => {
    expect(plan({kvmGroup: 104}).prefix).toContain('--groups=104');
    expect(plan({kvmGroup: 104}).prefix).not.toContain('--clear-groups');
  });

  it('takes nobody where the user namespace has no room', () => {
    expect(plan({host: {...root, uidRanges: [{first: 0, count: 65536}]}}).uid).toBe(65534);
  });

  it('stays who we are where the user namespace has one user', () => {
    const host = {...root, uidRanges: [{first: 0, count: 1}], maySetGroups: false};
    expect(plan({host}).uid).toBeNull();
    expect(plan({host}).prefix).toContain('--bounding-set=-all');
    expect(plan({host}).prefix.join(' ')).not.toMatch(/reuid|groups/);
  });

  it('asks for nothing that it may not do', () => {
    const user = {...root, uid: 1000, capabilities: 0n};
    expect(plan({host: user})).toEqual({
      uid: null,
      noNetwork: false,
      prefix: [
        '/bin/prlimit',
        '--core=0:0',
        '--fsize=8589934592:8589934592',
        '--nofile=1024:1024',
        '--',
        '/bin/setpriv',
        '--no-new-privs',
        '--pdeathsig',
        'KILL',
        '--',
      ],
    });
    expect(plan({host: {...root, capabilities: 0n}}).uid).toBeNull();
  });

  it('keeps groups where they may not be changed', () => {
    expect(plan({host: {...root, maySetGroups: false}}).prefix).toContain('--keep-groups');
  });

  it('starts QEMU bare where there is no setpriv', () => {
    const bare = {prefix: [], uid: null, noNetwork: false};
    expect(plan({host: {...root, platform: 'darwin'}})).toEqual(bare);
    expect(plan({tools: {...tools, setpriv: undefined}})).toEqual(bare);
  });
});
