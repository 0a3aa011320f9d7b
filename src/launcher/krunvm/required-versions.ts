/** Refuses programs that are too old; what they said once they are not asked again, until one of them is changed. */
import {listOf, nullable, object, text} from '../../model/shape.js';
import {fileIdentity, findProgram} from '../common/host.js';
import {createMemory} from '../common/remembered.js';
import type {KrunHost, KrunvmLauncherOptions} from './krun-host.js';
import {askVersions, bootIdentity, requireVersions} from './tools.js';

const shape = listOf(object({name: text, found: nullable(text), minimum: text}));

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
  const memory = createMemory({runtimeFolder, name: 'krunvm-versions', facts, shape});
  const remembered = await memory.read();
  const versions = remembered ?? (await askVersions({asRoot, program, env, signal}));
  requireVersions(versions);
  if (!remembered) await memory.write([...versions]);
};
