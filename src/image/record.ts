/** The two kinds of JSON files of the image store, checked when read. */
import {readFileSync} from 'node:fs';
import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';

const configSchema = z.object({
  env: z.readonly(z.array(z.string())),
  workdir: z.string().check(z.startsWith('/')),
  user: z.string(),
});

const imageSchema = z.object({
  schema: z.literal(1),
  digest: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)),
  /** What the image is: an erofs file beside the record, or an image in buildah's storage, as macOS needs it. */
  kind: z._default(z.enum(['erofs', 'storage']), 'erofs'),
  architecture: z.string(),
  sizeBytes: z.int().check(z.nonnegative()),
  config: configSchema,
  createdAt: z.string(),
});
/** What `image.json` holds; references lie apart, since they come and go. */
export type ImageRecord = z.infer<typeof imageSchema>;

const refSchema = z.object({
  schema: z.literal(1),
  reference: z.string().check(z.minLength(1)),
  digest: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)),
  /** The language whose default this is: set for images built here from packages. */
  language: z.nullable(z.enum(['python', 'node', 'ruby', 'golang'])),
  createdAt: z.string(),
});
export type RefRecord = z.infer<typeof refSchema>;

// There are few of them: a parser compiled for them would cost more than it saves.
const params = {error: en().localeError, jitless: true};

export const readImageRecord = (path: string): ImageRecord =>
  imageSchema.parse(JSON.parse(readFileSync(path, 'utf8')), params);

export const readRefRecord = (path: string): RefRecord =>
  refSchema.parse(JSON.parse(readFileSync(path, 'utf8')), params);
