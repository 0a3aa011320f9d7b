/**
 * `npm run scale -- --vms 10,50,100,200 --launcher krunvm-double`: so many VMs at the same time, and what each command on
 * all of them costs. Prints a table as in docs/benchmarks.md. Exits with 1 where a VM is missed, or something of it stays.
 */
import {parseArgs} from 'node:util';
import {isGroundName, makeGround} from './ground.js';
import {measureScale, type Scale} from './scale.js';

const USAGE = 'usage: npm run scale -- [--vms N,N...] [--launcher krunvm-double|qemu]';

const readOptions = () => {
  const {values} = parseArgs({
    options: {
      vms: {type: 'string', default: '10,50'},
      launcher: {type: 'string', default: 'krunvm-double'},
    },
  });
  const counts = values.vms.split(',');
  if (!isGroundName(values.launcher) || !counts.every((text) => /^[1-9]\d*$/.test(text)))
    throw new Error(USAGE);
  return {counts: counts.map(Number), launcher: values.launcher};
};

const main = async (): Promise<void> => {
  const {counts, launcher} = readOptions();
  const scales: Scale[] = [];
  for (const count of counts) {
    const ground = await makeGround(launcher);
    try {
      const scale = await measureScale(ground, count);
      process.stderr.write(`${JSON.stringify({launcher, ...scale})}\n`);
      scales.push(scale);
    } finally {
      ground.state.remove();
    }
  }
  console.log(tableOf(scales));
};

const tableOf = (scales: readonly Scale[]): string => {
  const steps = scales[0]?.measures.map(({step}) => step) ?? [];
  const rows = [
    ['VMs', ...steps, 'CPU of a boot', 'memory of a VM (MiB)'],
    ['--:', ...steps.map(() => '--:'), '--:', '--:'],
    ...scales.map(({vms, measures, bootCpuMs, upMib}) => [
      String(vms),
      ...measures.map(({wallMs, cpuMs}) => `${seconds(wallMs)} / ${seconds(cpuMs)}`),
      seconds(bootCpuMs / vms),
      (upMib / vms).toFixed(0),
    ]),
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
};

const seconds = (ms: number): string => (ms / 1000).toFixed(ms < 10_000 ? 2 : 1);

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
