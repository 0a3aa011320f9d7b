// @ts-check
/** A run in Markdown: what is printed, and what stands in the document. */
import {GROUPS} from './catalog.mjs';
import {markdownTable, short} from './markdown.mjs';
import {measureOf} from './results.mjs';

const COLUMNS = /** @type {const} */ (['p50', 'p95', 'p99', 'min', 'max']);

/** @typedef {import('./results.mjs').Results} Results */

/**
 * @param {Results} results
 * @param {readonly import('./targets.mjs').Target[]} targets
 */
export const describeRun = (results, targets) =>
  [
    machineLines(results),
    targetTable(targets),
    ...GROUPS.map((group) => groupTable(results, group)),
    phaseTable(results),
    densityLines(results),
    failureLines(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n');

/** @param {Results} results */
const machineLines = ({version, time, machine, load, plan}) =>
  [
    `Version ${version}, ${time.slice(0, 10)}, ${plan.rounds} rounds in one run, bursts of ${plan.burst}.`,
    `${machine.cores} × ${machine.processor}, ${machine.memoryGib} GiB, ${machine.system}, ${machine.kernel}, Node ${machine.node},`,
    `QEMU ${machine.qemu} with ${machine.accelerator.toUpperCase()}, guest kernel ${machine.guestKernel}.`,
    `Load average ${load.start} before and ${load.end} after.`,
  ].join('\n');

/** @param {readonly import('./targets.mjs').Target[]} targets */
const targetTable = (targets) =>
  markdownTable([
    ['target (medians)', 'aim', 'found', 'met'],
    ...targets.map(({what, aim, found, isMet}) => [
      what,
      aim,
      found,
      isMet === null ? '-' : isMet ? 'yes' : 'no',
    ]),
  ]);

/**
 * @param {Results} results
 * @param {string} group
 */
const groupTable = (results, group) => {
  const measures = results.measures.filter((measure) => measure.group === group);
  if (measures.length === 0) return '';
  const unit = measures[0]?.unit ?? 'ms';
  const rows = measures.map((measure) => [
    measure.title,
    `${measure.spread?.runs ?? 0}/${measure.attempts}`,
    ...COLUMNS.map((column) => (measure.spread ? short(measure.spread[column]) : '-')),
    timesBaseline(results, measure),
  ]);
  return markdownTable([[`${group} (${unit})`, 'succeeded', ...COLUMNS, '× baseline'], ...rows]);
};

/**
 * The median as a multiple of the baseline's.
 * @param {Results} results
 * @param {import('./results.mjs').Result} measure
 */
const timesBaseline = (results, {baseline, spread}) => {
  const by = baseline === null ? undefined : measureOf(results, baseline)?.spread?.p50;
  return spread && by ? (spread.p50 / by).toFixed(2) : '';
};

/** @param {Results} results */
const phaseTable = ({measures, phases}) => {
  const names = [...new Set(Object.values(phases).flatMap((found) => Object.keys(found)))];
  if (names.length === 0) return '';
  const rows = measures.flatMap(({id, title}) => {
    const found = phases[id];
    return found ? [[title, ...names.map((name) => (found[name] ? short(found[name].p50) : '-'))]] : [];
  });
  return markdownTable([['phases (medians, ms)', ...names], ...rows]);
};

/** @param {Results} results */
const densityLines = ({density}) =>
  /** @type {const} */ (['cold', 'warm'])
    .flatMap((kind) => {
      const found = density[kind];
      if (found === undefined) return [];
      const [vms, mib] = found.measured.at(-1) ?? [0, 0];
      const how = kind === 'cold' ? 'booted' : 'gone on from a template';
      return [
        `- Idle VMs of 256 MiB, ${how}: ${vms} took ${mib.toFixed(0)} MiB together (measured; proportional shares, VMMs and ` +
          `monitors). Each one more takes ${found.perVmMib.toFixed(1)} MiB (line through 1 to ${vms}, ${found.baseMib.toFixed(0)} MiB at none): ` +
          `**${found.fit}** would fit in ${found.roomMib / 1024} GiB.`,
      ];
    })
    .join('\n');

/** @param {Results} results */
const failureLines = ({measures, leftOut}) => {
  const reasons = [...new Set(measures.flatMap(({failures}) => failures))];
  /** @param {string} reason */
  const where = (reason) =>
    measures.filter(({failures}) => failures.includes(reason)).map(({title}) => title);
  return [
    ...leftOut.map(({what, why}) => `- Left out: ${what}: ${why}.`),
    ...reasons.map((reason) => `- Failed: ${where(reason).join('; ')}: ${reason}`),
  ].join('\n');
};

/** @param {readonly import('./compare.mjs').Comparison[]} comparisons */
export const comparisonTable = (comparisons) =>
  markdownTable([
    ['measure', 'group', 'divided by', 'before', 'after', 'change', 'verdict'],
    ...comparisons.map(({title, group, against, before, after, verdict}) => [
      title,
      group,
      against,
      before?.toFixed(2) ?? '-',
      after?.toFixed(2) ?? '-',
      before && after !== null ? `${(after / before).toFixed(2)} ×` : '-',
      verdict,
    ]),
  ]);
