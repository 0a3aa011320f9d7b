/** The two kinds of JSON files of the image store, checked when read. */
import {readFileSync} from 'node:fs';
import type {ImageConfig} from '../model/guest-image.js';
import type {ImageLanguage} from '../model/language.js';
import {
  absentAs,
  listOf,
  nullable,
  object,
  oneOf,
  type Shape,
  text,
  where,
  wholeNumber,
} from '../model/shape.js';

/** What `image.json` holds; references lie apart, since they come and go. */
export interface ImageRecord {
  readonly schema: 1;
  readonly digest: string;
  /** What the image is: an erofs file beside the record, or an image in buildah's storage, as macOS needs it. */
  readonly kind: 'erofs' | 'storage';
  readonly architecture: string;
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  readonly createdAt: string;
}

export interface RefRecord {
  readonly schema: 1;
  readonly reference: string;
  readonly digest: string;
  /** The language whose default this is: set for images built here from packages. */
  readonly language: ImageLanguage | null;
  readonly createdAt: string;
}

const digest = where(text, 'a digest', (value) => /^sha256:[0-9a-f]{64}$/.test(value));

const imageRecord = object<ImageRecord>({
  schema: oneOf([1]),
  digest,
  kind: absentAs('erofs', oneOf(['erofs', 'storage'])),
  architecture: text,
  sizeBytes: where(wholeNumber, 'no negative number', (value) => value >= 0),
  config: object<ImageConfig>({
    env: listOf(text),
    workdir: where(text, 'an absolute path', (value) => value.startsWith('/')),
    user: text,
  }),
  createdAt: text,
});

const refRecord = object<RefRecord>({
  schema: oneOf([1]),
  reference: where(text, 'a reference', (value) => value !== ''),
  digest,
  language: nullable(oneOf<ImageLanguage>(['python', 'node', 'ruby', 'golang'])),
  createdAt: text,
});

export const readImageRecord = (path: string): ImageRecord => readAs(imageRecord, path);

export const readRefRecord = (path: string): RefRecord => readAs(refRecord, path);

const readAs = <T>(shape: Shape<T>, path: string): T => shape(JSON.parse(readFileSync(path, 'utf8')));
