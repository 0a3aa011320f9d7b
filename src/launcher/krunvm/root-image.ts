/** Brings an image of the store into buildah's storage, where krunvm takes VMs from. */
import {removeTree} from '../../containers/remove-tree.js';
import {deadTempFolders, makeTempFolder} from '../../containers/temp-folder.js';
import {toAgentError} from '../../model/errors.js';
import {type GuestImage, storageName} from '../../model/guest-image.js';
import {requireSpace} from '../common/require-space.js';
import type {LaunchOptions} from '../launcher.js';
import {storageFlags} from './commands.js';
import type {KrunHost, KrunvmLauncherOptions} from './krun-host.js';

const DEADLINE_MS = 10 * 60_000;
const STEP_DEADLINE_MS = 60_000;
/** Beside the image itself. */
const MARGIN_BYTES = 64 * 1024 ** 2;

export interface RootImageRequest {
  readonly host: KrunHost;
  readonly options: Pick<KrunvmLauncherOptions, 'withLock'>;
  /** Null: an empty one, to try whether anything boots. */
  readonly image: GuestImage | null;
  readonly launch: LaunchOptions;
}

/** The name of the image, which is made unless it is there. Two makers of one wait for each other. */
export const prepareRootImage = async (request: RootImageRequest): Promise<string> => {
  const name = nameOf(request);
  if (await isThere(request, name)) return name;
  return await request.options.withLock(`krunvm's ${name}`, async () => {
    if (await isThere(request, name)) return name;
    request.launch.progress.step('unpacking the image for krunvm');
    await make(request, name);
    return name;
  });
};

/** Forgets a copy that turned out to be damaged. VMs that were made of it keep theirs: each has a name of its own for it. */
export const forgetRootImage = async (request: RootImageRequest, name: string): Promise<void> => {
  const removal = () => buildah(request, ['rmi', name], 'removing a damaged image');
  await request.host.changeNames(removal, request.launch.signal).catch(() => {});
};

const nameOf = ({image}: RootImageRequest): string =>
  image ? storageName(image) : 'localhost/agent/probe:empty';

const isThere = async (request: RootImageRequest, name: string): Promise<boolean> => {
  try {
    await buildah(
      request,
      ['inspect', '--type=image', '--format={{.FromImageID}}', name],
      'looking for an image',
    );
    return true;
  } catch (error) {
    if (toAgentError(error).code === 'PROCESS_FAILED') return false;
    throw error;
  }
};

/**
 * The root folder of an empty container is not writable as found. What krunvm will open or mount in it as the host's
 * user must be no link that the image brought. An image that was made half has no name, and its container is known.
 */
const script = `set -eu
name=$1 container=$2 rootfs=$3
buildah rm "$container" >/dev/null 2>&1 || true
buildah from --name "$container" scratch >/dev/null
root=$(buildah mount "$container")
if [ -n "$rootfs" ]; then fsck.erofs --extract="$root" "$rootfs" >/dev/null; fi
chmod 755 "$root"
for path in etc in out persist; do
  if [ -L "$root/$path" ] || [ ! -d "$root/$path" ]; then rm -f -- "$root/$path"; mkdir "$root/$path"; fi
done
rm -rf -- "$root/etc/resolv.conf" "$root/.krun_config.json"
buildah umount "$container" >/dev/null
buildah commit --quiet --disable-compression --rm "$container" "$name" >/dev/null`;

const make = async (request: RootImageRequest, name: string): Promise<void> => {
  const {host, image, launch} = request;
  await requireSpace([host.containers.folder], MARGIN_BYTES + (image?.sizeBytes ?? 0));
  const container = `making-${name.replace(/^.*:/, '')}`;
  await withScratch(host, async (scratch) => {
    await host.asRoot({
      args: ['sh', '-c', script, 'sh', name, container, image?.rootfsPath ?? ''],
      env: {...host.env, TMPDIR: scratch},
      phase: 'unpacking the image for krunvm',
      timeoutMs: DEADLINE_MS,
      signal: launch.signal,
    });
  });
};

/** For layers that buildah is writing: in /var/tmp, those of a maker that was killed would stay for ever. */
const withScratch = async (
  {containers: {folder, env}, asRoot}: KrunHost,
  work: (scratch: string) => Promise<void>,
): Promise<void> => {
  const remove = (old: string) => removeTree({root: {run: asRoot}, folder: old, env});
  for (const dead of await deadTempFolders(folder)) await remove(dead);
  const scratch = await makeTempFolder(folder);
  try {
    await work(scratch);
  } finally {
    await remove(scratch);
  }
};

const buildah = async (
  {host, launch}: RootImageRequest,
  args: readonly string[],
  phase: string,
): Promise<string> => {
  const {stdout} = await host.asRoot({
    args: ['buildah', ...storageFlags(host.krunvm), ...args],
    env: host.env,
    phase,
    timeoutMs: STEP_DEADLINE_MS,
    signal: launch.signal,
  });
  return stdout;
};
