/** Many VMs at the same time, with the doubles of krunvm and buildah. `npm run scale` does the same with hundreds. */
import {afterAll, expect, it} from 'vitest';
import {makeGround} from '../soak/ground.js';
import {measureScale} from '../soak/scale.js';

const ground = await makeGround('krunvm-double');
afterAll(() => ground.state.remove());

// Twenty seconds, and several times that beside other work.
it('20 VMs at once all boot, answer, stop and go, and nothing of them is left', {
  timeout: 400_000,
}, async () => {
  const {vms, measures} = await measureScale(ground, 20);
  expect(vms).toBe(20);
  expect(measures.map(({step}) => step)).toEqual([
    'create',
    'list, ready',
    'exec, boots',
    'list, up',
    'exec, up',
    'stop',
    'clean',
  ]);
});
