import type {RemovedImage} from '../image/image-store.js';
import {launcherNames} from '../model/launcher-name.js';
import type {VmContext} from './vm-context.js';

/** Removes an image by reference or digest; one that a VM was made from stays (IMAGE_IN_USE). */
export const removeImage = async (
  context: VmContext,
  reference: string,
  onWarning: (text: string) => void,
): Promise<RemovedImage> => {
  const usedBy = (digest: string): string[] => vmsWithImage(context, digest);
  const removed = await context.images.remove({reference, usedBy, onWarning});
  const except = context.images.list().images.map(({digest}) => digest);
  for (const name of launcherNames) await context.launcher(name).forgetImages({...context, except});
  return removed;
};

const vmsWithImage = (context: VmContext, digest: string): string[] => {
  const {records} = context.store().list();
  return records.filter((record) => record.image.digest === digest).map((record) => record.id);
};
