/** Every command line that krunvm, and what it is run through, is given. Pure; docs/krunvm.md explains each. */
import type {NetworkMode} from '../../model/network.js';

export interface Krunvm {
  readonly platform: 'linux' | 'darwin';
  readonly isRoot: boolean;
  /** Absolute path of the program. */
  readonly program: string;
  /** Where krunvm's own configuration says that buildah stores: the volume's mount point on macOS, else null. */
  readonly volume: string | null;
}

/** The guest agent's place in every guest. It is started without arguments, since those do not survive the way. */
const GUEST_AGENT = '/.agent';

export interface SharedFolder {
  /** Absolute path on the host. */
  readonly host: string;
  /** One level deep: `/in`. */
  readonly guest: string;
}

export interface NewMachine {
  readonly id: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly folders: readonly SharedFolder[];
  /** In buildah's storage. */
  readonly image: string;
}

export const createArguments = ({id, cpus, memoryMib, folders, image}: NewMachine): readonly string[] => [
  'create',
  `--name=${id}`,
  `--cpus=${cpus}`,
  `--mem=${memoryMib}`,
  // An image's own folder would go onto the guest kernel's command line as it is.
  '--workdir=/',
  ...folders.map(({host, guest}) => `--volume=${host}:${guest}`),
  image,
];

export const deleteArguments = (id: string): readonly string[] => ['delete', id];

/** buildah with the storage that krunvm uses: on Linux its environment says which, on macOS only flags do. */
export const storageFlags = ({volume}: Pick<Krunvm, 'volume'>): readonly string[] =>
  volume === null ? [] : [`--root=${volume}/root`, `--runroot=${volume}/runroot`];

/**
 * krunvm opens or mounts these in the guest's root folder as the host's user, and follows links: the image, or a guest
 * that ran before, may have left one there that leads to a file of the host. The agent is put there anew each time: it
 * is always ours, and of our version. No core dump is made, which would hold the guest's memory.
 */
const prepareRoot = `set -eu
ulimit -c 0
container=$1 agent=$2
shift 2
if [ "$1" = -- ]; then root=$(buildah mount "$container"); shift
else root=$(buildah "$1" "$2" mount "$container"); shift 3; fi
rm -rf -- "$root/.krunvm.lock" "$root/.krunvm-mount.sh" "$root${GUEST_AGENT}"
for name in in out persist; do
  if [ -L "$root/$name" ] || [ ! -d "$root/$name" ]; then rm -rf -- "$root/$name"; fi
done
cp -- "$agent" "$root${GUEST_AGENT}"
chmod 755 "$root${GUEST_AGENT}"
exec "$@"`;

const dieWithParent = ['setpriv', '--pdeathsig', 'KILL', '--'];

/** No network of any kind for the VMM, which makes the guest's connections on the host. */
const NO_NETWORK_PROFILE = '(version 1)(allow default)(deny network*)';

export interface StartRequest {
  readonly id: string;
  readonly container: string;
  /** Path of its file on the host. */
  readonly guestAgent: string;
  readonly network: NetworkMode;
}

export const startCommand = (krunvm: Krunvm, request: StartRequest): readonly string[] => {
  const {id, container, guestAgent, network} = request;
  const start = [krunvm.program, 'start', id, GUEST_AGENT];
  const words = [container, guestAgent, ...storageFlags(krunvm), '--', ...start];
  const script = ['sh', '-c', prepareRoot, 'sh', ...words];
  return network === 'none' ? withoutNetwork(krunvm, script) : withHostNetwork(krunvm, script);
};

const withHostNetwork = (krunvm: Krunvm, command: readonly string[]): readonly string[] =>
  krunvm.platform === 'darwin' ? command : inNamespaces(krunvm, ['--mount'], command);

/** The command in an empty network namespace, or under a sandbox profile that has the same effect. */
export const withoutNetwork = (krunvm: Krunvm, command: readonly string[]): readonly string[] =>
  krunvm.platform === 'darwin'
    ? ['sandbox-exec', '-p', NO_NETWORK_PROFILE, ...command]
    : inNamespaces(krunvm, ['--mount', '--net'], ['sh', '-c', raiseLoopback, 'sh', ...command]);

/** The guest reaches its own servers through this namespace's loopback too. Without `ip` it does without. */
const raiseLoopback = 'ip link set lo up 2>/dev/null || true; exec "$@"';

/** A mount namespace of its own: krunvm leaves the guest's root and its folders mounted. */
const inNamespaces = (
  {isRoot}: Krunvm,
  flags: readonly string[],
  command: readonly string[],
): readonly string[] => [
  ...(isRoot ? [] : [...dieWithParent, 'buildah', 'unshare', '--']),
  ...dieWithParent,
  'unshare',
  ...flags,
  '--',
  ...command,
];

/** Tells the VMM of one VM, and all that it was started through; also one that somebody started by hand. */
export const isVmmOf =
  (id: string) =>
  (argv: readonly string[]): boolean =>
    argv.some((word, at) => word === 'start' && /krunvm/.test(argv[at - 1] ?? '') && argv.includes(id, at));

/** buildah names a container after the last part of its image's name: so it is known before krunvm has said it. */
export const vmImage = (id: string): string => `localhost/agent-vm/${id}:latest`;
export const containerOf = (id: string): string => `${id}-working-container`;
