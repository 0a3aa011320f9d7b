/** Decides what the VMM is started through, so that a guest that breaks out of it finds little: values in, argv out. */

import type {Host} from '../../common/host.js';

export interface ConfinementTools {
  readonly setpriv: string | undefined;
  readonly prlimit: string | undefined;
  readonly unshare: string | undefined;
}

export interface ConfinementRequest {
  readonly host: Pick<Host, 'platform' | 'uid' | 'capabilities' | 'uidRanges' | 'maySetGroups'>;
  readonly tools: ConfinementTools;
  /** Chooses the VMM's own uid: VMMs of different VMs can neither trace nor signal each other. */
  readonly vmNumber: number;
  /** Group of /dev/kvm, where the VMM needs it. */
  readonly kvmGroup: number | null;
  /** The VMM opens no socket of its own. */
  readonly offline: boolean;
  /** Of the files that QEMU writes to; 0 where it writes to none. */
  readonly largestDiskBytes: number;
}

export interface Confinement {
  /** What precedes QEMU's own command line. */
  readonly prefix: readonly string[];
  /** Null: the VMM runs as we do. */
  readonly uid: number | null;
  readonly noNetwork: boolean;
}

// Above every range that distributions give to users, containers and services.
const FIRST_UID = 0x70000000;
const UID_COUNT = 0x01000000;
const NOBODY = 65534;

// No core file, no file larger than the largest disk, no more descriptors than QEMU and its network can use.
const limits = (bytes: number): string[] => ['--core=0:0', `--fsize=${bytes}:${bytes}`, '--nofile=1024:1024'];

const CAP_SETGID = 6n;
const CAP_SETUID = 7n;
const CAP_SETPCAP = 8n;
const CAP_SYS_ADMIN = 21n;

export const planConfinement = (request: ConfinementRequest): Confinement => {
  const {host, tools} = request;
  if (host.platform !== 'linux' || tools.setpriv === undefined)
    return {prefix: [], uid: null, noNetwork: false};
  const uid = chooseUid(request);
  const noNetwork = request.offline && tools.unshare !== undefined && may(host, CAP_SYS_ADMIN);
  const prefix = [
    ...(tools.prlimit === undefined ? [] : [tools.prlimit, ...limits(request.largestDiskBytes), '--']),
    ...(noNetwork && tools.unshare !== undefined ? [tools.unshare, '--net', '--ipc', '--'] : []),
    tools.setpriv,
    ...(uid === null ? [] : [`--reuid=${uid}`, `--regid=${uid}`, groups(request)]),
    '--no-new-privs',
    ...(may(host, CAP_SETPCAP) ? ['--inh-caps=-all', '--bounding-set=-all'] : []),
    ...['--pdeathsig', 'KILL', '--'], // the last: a change of uid would clear it
  ];
  return {prefix, uid, noNetwork};
};

const chooseUid = ({host, vmNumber}: ConfinementRequest): number | null => {
  if (host.uid !== 0 || !may(host, CAP_SETUID) || !may(host, CAP_SETGID)) return null;
  const own = FIRST_UID + (vmNumber % UID_COUNT);
  if (exists(host, own)) return own;
  return exists(host, NOBODY) ? NOBODY : null;
};

const groups = ({host, kvmGroup}: ConfinementRequest): string => {
  if (!host.maySetGroups) return '--keep-groups';
  return kvmGroup === null ? '--clear-groups' : `--groups=${kvmGroup}`;
};

const may = (host: ConfinementRequest['host'], capability: bigint): boolean =>
  (host.capabilities & (1n << capability)) !== 0n;

const exists = (host: ConfinementRequest['host'], uid: number): boolean =>
  host.uidRanges.some(({first, count}) => uid >= first && uid < first + count);
