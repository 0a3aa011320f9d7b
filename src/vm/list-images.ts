import type {BrokenImage, ListedImage} from '../image/image-store.js';
import type {Template} from '../launcher/launcher.js';
import {listTemplates} from './list-templates.js';
import type {VmContext} from './vm-context.js';

interface ImagesAndTemplates {
  readonly images: readonly (ListedImage & {readonly templates: readonly Template[]})[];
  readonly broken: readonly BrokenImage[];
}

/** The images, each with the templates of it. Changes nothing. */
export const listImages = async (context: VmContext): Promise<ImagesAndTemplates> => {
  const {images, broken} = context.images.list();
  const templates = images.length > 0 ? await listTemplates(context) : [];
  return {
    images: images.map((image) => ({
      ...image,
      templates: templates.filter(({digest}) => digest === image.digest),
    })),
    broken,
  };
};
