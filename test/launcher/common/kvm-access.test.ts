import {describe, expect, it} from 'vitest';
import {decideKvmAccess, readKvmNode} from '../../../src/launcher/common/kvm-access.js';

const node = {uid: 0, gid: 104, mode: 0o660, openable: true};

describe('decideKvmAccess', () => {
  it('keeps the group of the device for a VMM that changes its user', () => {
    expect(decideKvmAccess(node, true)).toEqual({ok: true, group: 104});
  });

  it('needs no group for a device that is open to all, or where the user stays', () => {
    expect(decideKvmAccess({...node, mode: 0o666}, true)).toEqual({ok: true, group: null});
    expect(decideKvmAccess(node, false)).toEqual({ok: true, group: null});
  });

  it.each([
    ['no device', null, true, 'not there'],
    ['a device for root alone', {...node, gid: 0, mode: 0o600}, true, 'only for root'],
    ['a device for the group of root', {...node, gid: 0}, true, 'only for root'],
    ['a device that we cannot open', {...node, openable: false}, false, 'permission denied'],
  ])('says why and how to mend it: %s', (_name, seenNode, changesUser, seen) => {
    const access = decideKvmAccess(seenNode, changesUser);
    expect(access).toMatchObject({
      ok: false,
      seen: expect.stringContaining(seen),
      mend: expect.stringMatching(/./),
    });
  });
});

describe('readKvmNode', () => {
  it('reads a device, and says null where there is none', () => {
    expect(readKvmNode('/dev/null')).toMatchObject({uid: 0, mode: 0o666, openable: true});
    expect(readKvmNode('/dev/no-such-device')).toBeNull();
  });
});
