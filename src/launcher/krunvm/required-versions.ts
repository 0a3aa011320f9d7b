/** Refuses programs that are too old; what they said once they are not asked again, until one of them is changed. */
import * as z from 'zod/mini';
import {fileIdentity, findProgram} from '../common/host.js';
import {createMemory} from '../common/remembered.js';
import type {KrunHost, KrunvmLauncherOptions} from './krun-host.js';
import {askVersions, bootIdentity, requireVersions} from './tools.js';

const schema = z.array(z.object({name: z.string(), found: z.nullable(z.string()), minimum: z.string()}));

export const requireNewEnough = async (
  {krunvm, asRoot, env}: KrunHost,
  {runtimeFolder}: KrunvmLauncherOptions,
  signal: AbortSignal,
): Promise<void> => {
  const {program} = krunvm;
  const facts = [
    await bootIdentity(),
    fileIdentity(program),
    fileIdentity(findProgram(env, 'buildah') ?? program),
  ];
  const memory = createMemory({runtimeFolder, name: 'krunvm-versions', facts, schema});
  const remembered = await memory.read();
  const versions = remembered ?? (await askVersions({asRoot, program, env, signal}));
  requireVersions(versions);
  if (!remembered) await memory.write([...versions]);
};
