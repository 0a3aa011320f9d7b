/** On macOS krunvm takes VMs from an image as it was pulled, and not from a copy that we have made safe. */
import {mkdir, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {AgentError} from '../../model/errors.js';
import {type GuestImage, storageName} from '../../model/guest-image.js';
import type {LaunchOptions} from '../launcher.js';
import {storageFlags} from './commands.js';
import type {KrunHost} from './krun-host.js';

const DEADLINE_MS = 5 * 60_000;

/** `krunvm create` writes to these as the user, and follows links. */
const findLinks = `set -eu
name=$1 container=$2 root_flag=$3 runroot_flag=$4
buildah "$root_flag" "$runroot_flag" rm "$container" >/dev/null 2>&1 || true
buildah "$root_flag" "$runroot_flag" from --pull=never --name "$container" "$name" >/dev/null
root=$(buildah "$root_flag" "$runroot_flag" mount "$container")
for path in etc etc/resolv.conf .krun_config.json; do
  if [ -L "$root/$path" ]; then echo "/$path"; fi
done
buildah "$root_flag" "$runroot_flag" umount "$container" >/dev/null
buildah "$root_flag" "$runroot_flag" rm "$container" >/dev/null`;

/** Throws IMAGE_UNUSABLE for an image that would lead krunvm to a file of this Mac. Looks at each image once. */
export const refuseLinks = async (
  host: KrunHost,
  image: GuestImage,
  {signal}: Pick<LaunchOptions, 'signal'>,
): Promise<void> => {
  const {folder, env} = host.registry('images');
  const seen = join(folder, image.digest.replace(':', '-'));
  if (await stat(seen).catch(() => undefined)) return;
  const container = `looking-at-${image.digest.slice(-16)}`;
  const {stdout} = await host.asRoot({
    args: ['sh', '-c', findLinks, 'sh', storageName(image), container, ...storageFlags(host.krunvm)],
    env,
    phase: 'looking at the image',
    timeoutMs: DEADLINE_MS,
    signal,
  });
  const links = stdout.split('\n').filter((line) => line !== '');
  if (links.length > 0) {
    throw new AgentError('IMAGE_UNUSABLE', `The image has a link where krunvm writes: ${links.join(', ')}.`, {
      hints: ['on macOS such an image could change files of this Mac: use another one'],
    });
  }
  await mkdir(folder, {recursive: true, mode: 0o700});
  await writeFile(seen, '', {mode: 0o600});
};
