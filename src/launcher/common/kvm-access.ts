/** Whether the VMM, as the user it will run as, can open /dev/kvm. */
import {accessSync, constants, statSync} from 'node:fs';

export interface KvmNode {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** Whether this process can open it. */
  readonly openable: boolean;
}

export type KvmAccess =
  | {readonly ok: true /** The group that the VMM must keep. */; readonly group: number | null}
  | {readonly ok: false; readonly seen: string; readonly mend: string};

export const readKvmNode = (path = '/dev/kvm'): KvmNode | null => {
  try {
    const {uid, gid, mode} = statSync(path);
    return {uid, gid, mode: mode & 0o777, openable: isOpenable(path)};
  } catch {
    return null; // no KVM here
  }
};

/** `changesUser`: the VMM gives up our user and its groups. */
export const decideKvmAccess = (node: KvmNode | null, changesUser: boolean): KvmAccess => {
  if (node === null) {
    return {
      ok: false,
      seen: 'not there',
      mend: 'enable virtualisation in the firmware, or nested virtualisation',
    };
  }
  const said = `owner ${node.uid}:${node.gid}, mode ${node.mode.toString(8)}`;
  if (!changesUser && node.openable) return {ok: true, group: null};
  if (changesUser && (node.mode & 0o006) === 0o006) return {ok: true, group: null};
  const hasGroup = (node.mode & 0o060) === 0o060 && node.gid !== 0;
  if (changesUser && hasGroup) return {ok: true, group: node.gid};
  return {
    ok: false,
    seen: changesUser
      ? `only for root (${said}), and the VMM does not run as root`
      : `permission denied (${said})`,
    mend: hasGroup ? JOIN_GROUP : MAKE_GROUP,
  };
};

const JOIN_GROUP = 'add yourself to its group: sudo usermod -aG kvm "$USER", then log in again';
const MAKE_GROUP =
  'give it a group of its own, as root: groupadd -f kvm; chgrp kvm /dev/kvm; chmod 660 /dev/kvm';

const isOpenable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false; // the caller says so
  }
};
