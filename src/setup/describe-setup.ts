import type {SetupReport} from './setup-report.js';

/** The report as lines for people. */
export const describeSetup = (report: SetupReport): string[] => {
  const rows = [
    packagesRow(report),
    ['guest kernel', kernelWords(report)],
    ...imageRows(report),
    ...bootRow(report),
  ];
  const width = Math.max(...rows.map(([subject = '']) => subject.length));
  const lines = rows.map(([subject = '', words = '']) => `${subject.padEnd(width)}  ${words}`);
  return report.dryRun ? [...lines, '', dryRunEnd(report)] : lines;
};

const packagesRow = ({packages, dryRun}: SetupReport): string[] => {
  const names = packages.map(({name}) => name).join(', ');
  if (packages.length === 0) return ['system packages', 'ready'];
  return ['system packages', dryRun ? `would be installed for: ${names}` : `installed for: ${names}`];
};

const kernelWords = ({kernel}: SetupReport): string => {
  if (kernel === 'ready') return 'ready';
  if (kernel === 'bundled') return 'comes with krunvm';
  return kernel === 'missing' ? 'would be looked for, and fetched where there is none' : `fetched: ${kernel}`;
};

const imageRows = ({images}: SetupReport): string[][] =>
  images.map(({language, reference, state}) => [
    `${language} image`,
    state === 'missing'
      ? `would be pulled as ${reference}, or built where no registry answers`
      : `${state}: ${reference}`,
  ]);

const bootRow = ({launcher}: SetupReport): string[][] =>
  launcher
    ? [['boot', `a guest booted with ${launcher.launcher}, ${launcher.accelerator ?? 'no acceleration'}`]]
    : [];

const dryRunEnd = ({packages, kernel, images}: SetupReport): string => {
  const nothing =
    packages.length === 0 && kernel !== 'missing' && images.every(({state}) => state === 'ready');
  return nothing ? 'Nothing to do.' : 'Nothing was changed. To do it: agent setup';
};
