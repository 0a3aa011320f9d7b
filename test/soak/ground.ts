/** Where many VMs are made: a state directory of its own, and what to make them of. */
import {mkdirSync, mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {CreateOptions} from '../../src/model/create-options.js';
import {makeState, type StateFolder} from '../support/agent.js';
import {withBuildahDouble, withKrunvm} from '../support/krunvm.js';
import {addSmallImage} from '../vm/krunvm-image.js';
import {removeFolder} from '../vm/krunvm-traces.js';

export const groundNames = ['krunvm-double', 'qemu'] as const;
export type GroundName = (typeof groundNames)[number];

export interface Ground {
  readonly state: StateFolder;
  /** Where sockets lie. */
  readonly runtime: string;
  readonly image: Pick<CreateOptions, 'language' | 'image' | 'launcher'>;
}

const IMAGE = 'localhost/test/small:1';

export const isGroundName = (text: string): text is GroundName => groundNames.some((name) => name === text);

/** The double's guests are processes of this machine, which cost no emulation. Templates would make boots differ. */
export const makeGround = async (name: GroundName): Promise<Ground> =>
  name === 'qemu' ? makeQemuGround() : await makeDoubleGround();

const makeQemuGround = (): Ground => {
  const state = makeState();
  const runtime = join(state.path, 'run');
  const env = {AGENT_LAUNCHER: 'qemu', AGENT_TEMPLATES: 'off', XDG_RUNTIME_DIR: runtime};
  return {
    state: {...state, env},
    runtime: join(runtime, 'agent'),
    image: {language: 'python', image: null, launcher: 'qemu'},
  };
};

const makeDoubleGround = async (): Promise<Ground> => {
  const path = mkdtempSync(join(tmpdir(), 'agent-soak-'));
  const runtime = join(path, 'run');
  for (const folder of ['images', 'run']) mkdirSync(join(path, folder), {mode: 0o700});
  await addSmallImage({imagesFolder: join(path, 'images'), reference: IMAGE});
  const {PATH = '', ...doubles} = withBuildahDouble(withKrunvm({PATH: process.env.PATH}));
  const env = {
    ...(doubles as Record<string, string>),
    PATH,
    AGENT_LAUNCHER: 'krunvm',
    XDG_RUNTIME_DIR: runtime,
  };
  const state = {path, env, remove: () => removeFolder(path)};
  return {state, runtime: join(runtime, 'agent'), image: {language: null, image: IMAGE, launcher: 'krunvm'}};
};
