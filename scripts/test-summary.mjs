// @ts-check
/** Prints one line about a run of the tests: `node scripts/test-summary.mjs REPORT EXIT_CODE`. */
import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

/**
 * @typedef {{
 *   numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   testResults: readonly {status: string, assertionResults: readonly unknown[]}[],
 * }} Report vitest's JSON report, as far as it is read here
 */

/**
 * A file that could not be loaded has no test in the report, and counts as one that failed; so does a run that failed
 * without a failed test, and one that ran none.
 * @param {Report | undefined} report
 * @param {number} exitCode
 */
export const countTests = (report, exitCode) => {
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const unloadable = (report?.testResults ?? []).filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = (report?.numFailedTests ?? 0) + unloadable;
  const failedOtherwise = failed === 0 && (exitCode !== 0 || passed === 0);
  return {passed, failed: failedOtherwise ? 1 : failed, skipped};
};

/** @param {{passed: number, failed: number, skipped: number}} counts */
export const summaryLine = ({passed, failed, skipped}) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

/** @param {string} file */
const readReport = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // The run ended before there was a report: that counts as a failure.
    return undefined;
  }
};

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [file = '', exitCode = '1'] = process.argv.slice(2);
  const counts = countTests(readReport(file), Number(exitCode));
  console.log(summaryLine(counts));
  process.exitCode = counts.failed > 0 ? 1 : 0;
}
