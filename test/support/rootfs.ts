import type {GuestImage} from '../../src/model/guest-image.js';

/** The root image's file, of an image that must have one. */
export const rootfsOf = ({rootfsPath, digest}: Pick<GuestImage, 'rootfsPath' | 'digest'>): string => {
  if (rootfsPath === null) throw new Error(`the image ${digest} has no root image`);
  return rootfsPath;
};
