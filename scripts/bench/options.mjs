// @ts-check
import {parseArgs} from 'node:util';
import {StepError} from '../prepare/step.mjs';

const USAGE = `usage: npm run bench -- [--runs N] [--minutes N] [--quick] [--out FILE.json]
                        [--from FILE.json] [--compare FILE.json] [--threshold FACTOR]

  --runs       rounds; 30, or 1 with --quick
  --minutes    after so many no further round begins; 90
  --quick      the least that exercises everything, to see whether the bench works: its figures mean nothing
  --out        where the raw figures go; a plot goes beside them (.svg), and the tables go into the document beside
               them (.md), between its markers. Without it, 30 rounds or more go to docs/benchmarks.json
  --from       measures nothing, and takes the figures of an earlier run
  --compare    with the figures of another run, as ratios to the baselines of each; exits with 1 where one got worse
  --threshold  by which factor a ratio may grow; 1.25`;

const FULL_RUNS = 30;

/**
 * @param {readonly string[]} args
 * @returns undefined where it was only asked what there is to ask for
 */
export const readOptions = (args) => {
  if (args.includes('--help')) {
    console.log(USAGE);
    return undefined;
  }
  try {
    return parse(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    throw new StepError(USAGE, {exitCode: 2});
  }
};

/** @param {readonly string[]} args */
const parse = (args) => {
  const text = /** @type {const} */ ({type: 'string'});
  const flags = {runs: text, minutes: text, out: text, from: text, compare: text, threshold: text};
  const {values} = parseArgs({
    args: [...args],
    options: {...flags, quick: {type: 'boolean', default: false}},
  });
  const {quick, out, from, compare} = values;
  const runs = wholeNumber('--runs', values.runs ?? (quick ? '1' : String(FULL_RUNS)));
  const minutes = wholeNumber('--minutes', values.minutes ?? '90');
  const threshold = Number(values.threshold ?? '1.25');
  if (!(threshold >= 1)) throw new Error(`--threshold ${values.threshold}: not a factor of 1 or more`);
  if (out !== undefined && !out.endsWith('.json')) throw new Error(`--out ${out}: does not end in .json`);
  const isWhole = !quick && runs >= FULL_RUNS && from === undefined;
  return {
    runs,
    minutes,
    quick,
    out: out ?? (isWhole ? 'docs/benchmarks.json' : undefined),
    from,
    compare,
    threshold,
  };
};

/**
 * @param {string} flag
 * @param {string} text
 */
const wholeNumber = (flag, text) => {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new Error(`${flag} ${text}: not a whole number of 1 or more`);
};
