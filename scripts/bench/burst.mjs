// @ts-check
import {WARM} from './ground.mjs';

const IDS = ['burst-each', 'burst-all', 'burst-cpu'];

/**
 * So many `vm temp` at once, all from the template. One that fails counts as one, and then the others' sum says nothing.
 * @param {import('./ground.mjs').Ground} ground
 * @param {{samples: import('./samples.mjs').Samples, size: number}} options
 */
export const measureBurst = async (ground, {samples, size}) => {
  const args = ['vm', 'temp', '--language', 'python', '--cmd', 'true'];
  const startedAt = performance.now();
  const results = await Promise.allSettled(Array.from({length: size}, () => ground.agent(args, {env: WARM})));
  const allMs = performance.now() - startedAt;
  ground.signal.throwIfAborted();
  const [each = '', ...sums] = IDS;
  for (const result of results) {
    if (result.status === 'rejected') samples.fail([each], result.reason);
    else await samples.attempt([each], async () => ({[each]: result.value.exitMs}));
  }
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (done.length < size) samples.fail(sums, new Error(`${size - done.length} of ${size} failed`));
  else await samples.attempt(sums, async () => ({'burst-all': allMs, 'burst-cpu': sumOf(done)}));
};

/** @param {readonly import('./measure.mjs').Measured[]} all */
const sumOf = (all) => all.reduce((sum, {cpuMs = Number.NaN}) => sum + cpuMs, 0);
