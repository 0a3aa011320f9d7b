import type {RemovedImage} from '../image/image-store.js';
import type {VmContext} from './vm-context.js';

/** Removes an image by reference or digest; one that a VM was made from stays (IMAGE_IN_USE). */
export const removeImage = (context: VmContext, reference: string): Promise<RemovedImage> =>
  context.images.remove({reference, usedBy: (digest) => vmsWithImage(context, digest)});

const vmsWithImage = (context: VmContext, digest: string): string[] => {
  const {records} = context.store().list();
  return records.filter((record) => record.image.digest === digest).map((record) => record.id);
};
