import {join} from 'node:path';
import {expect, it} from 'vitest';
import {createContext} from '../../src/context.js';
import {silentProgress} from '../../src/model/progress.js';
import {createSetupTools} from '../../src/setup/create-setup-tools.js';
import {createTree} from './temp-tree.js';

for (const [platform, launcher, hasKernel] of [
  ['linux', 'qemu', true],
  ['darwin', 'krunvm', false],
] as const) {
  it(`prepares ${launcher} on ${platform}, ${hasKernel ? 'with' : 'without'} a kernel of the distribution`, () => {
    const state = join(createTree({}), 'state');
    const context = createContext({
      env: {...process.env, AGENT_STATE_DIR: state},
      progress: silentProgress,
      signal: new AbortController().signal,
    });
    const tools = createSetupTools(context, '/nowhere', platform);
    expect(tools.launcher).toBe(context.launcher(launcher));
    expect(tools.kernel !== null).toBe(hasKernel);
  });
}
