/** The two kinds of JSON files of the image store, checked when read. */
import {readFileSync} from 'node:fs';
import * as z from 'zod';

const configSchema = z.object({
  env: z.array(z.string()).readonly(),
  workdir: z.string().startsWith('/'),
  user: z.string(),
});

const imageSchema = z.object({
  schema: z.literal(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** What the image is: an erofs file beside the record, or an image in buildah's storage, as macOS needs it. */
  kind: z.enum(['erofs', 'storage']).default('erofs'),
  architecture: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  config: configSchema,
  createdAt: z.string(),
});
/** What `image.json` holds; references lie apart, since they come and go. */
export type ImageRecord = z.infer<typeof imageSchema>;

const refSchema = z.object({
  schema: z.literal(1),
  reference: z.string().min(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** The language whose default this is: set for images built here from packages. */
  language: z.enum(['python', 'node', 'ruby', 'golang']).nullable(),
  createdAt: z.string(),
});
export type RefRecord = z.infer<typeof refSchema>;

export const readImageRecord = (path: string): ImageRecord =>
  imageSchema.parse(JSON.parse(readFileSync(path, 'utf8')));

export const readRefRecord = (path: string): RefRecord =>
  refSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
