/** What `buildah inspect` says of an image: its digest, its platform, and how it wants to run. Pure. */
import * as z from 'zod/mini';
import {AgentError} from '../model/errors.js';
import type {ImageConfig} from '../model/guest-image.js';
import {otherPlatform} from './registry-error.js';

const inspectSchema = z.object({
  FromImageDigest: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)),
  OCIv1: z.object({
    architecture: z._default(z.string(), ''),
    os: z._default(z.string(), ''),
    config: z.prefault(
      z.object({
        User: z._default(z.string(), ''),
        Env: z.nullish(z.array(z.string())),
        WorkingDir: z._default(z.string(), ''),
      }),
      {},
    ),
  }),
});

export interface InspectedImage {
  readonly digest: string;
  /** As Node names it. */
  readonly architecture: string;
  readonly os: string;
  readonly config: ImageConfig;
}

/** Throws IMAGE_UNUSABLE for what is no image. */
export const parseInspect = (json: string): InspectedImage => {
  const {FromImageDigest: digest, OCIv1: image} = parse(json);
  const {User, Env, WorkingDir} = image.config;
  return {
    digest,
    // Images built from nothing may name no platform: they are for any.
    architecture: image.architecture === '' ? process.arch : nodeArchitecture(image.architecture),
    os: image.os === '' ? 'linux' : image.os,
    config: {
      env: (Env ?? []).filter((entry) => /^[^=\0]+=[^\0]*$/.test(entry)),
      workdir: WorkingDir.startsWith('/') ? WorkingDir : `/${WorkingDir}`,
      user: User,
    },
  };
};

/** Throws IMAGE_UNUSABLE for an image that is for another machine. */
export const checkPlatform = (reference: string, image: InspectedImage): void => {
  if (image.os === 'linux' && image.architecture === process.arch) return;
  throw otherPlatform({text: reference, details: [`it is for ${image.os}/${image.architecture}`]});
};

const parse = (json: string): z.infer<typeof inspectSchema> => {
  try {
    return inspectSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new AgentError('IMAGE_UNUSABLE', 'buildah describes the image in a way that is not understood.', {
      cause,
    });
  }
};

const names: Readonly<Record<string, string>> = {amd64: 'x64', '386': 'ia32', ppc64le: 'ppc64'};

const nodeArchitecture = (oci: string): string => names[oci] ?? oci;
