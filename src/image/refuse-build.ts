/** Why an image cannot be built where images are kept in the volume's storage, and what to do instead. Pure. */
import {AgentError} from '../model/errors.js';
import type {ImageLanguage} from '../model/language.js';

export const refuseLanguageBuild = (language: ImageLanguage): AgentError =>
  refusal(`The ${language} image`, [
    `pull it from its registry instead: agent image pull --language ${language}`,
  ]);

export const refuseContainerfileBuild = (tag: string): AgentError =>
  refusal(`The image '${tag}'`, [
    'build it on Linux with buildah, push it to a registry, and pull it here: agent image pull REGISTRY/NAME',
    'or bring it in a file: there buildah push NAME oci-archive:FILE, here agent image pull oci-archive:/path/of/FILE',
  ]);

const refusal = (what: string, hints: readonly string[]): AgentError =>
  new AgentError(
    'BUILD_FAILED',
    `${what} cannot be built on macOS, since the steps of a build are Linux programs that run on this machine.`,
    {hints},
  );
