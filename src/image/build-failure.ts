/** What went wrong in a build, from the lines it wrote. */
import {AgentError} from '../model/errors.js';

const KEPT = 12;

/** Remembers the last lines of both streams in the order they came. */
export const createTail = (): {readonly add: (line: string) => void; readonly lines: () => string[]} => {
  const kept: string[] = [];
  return {
    add: (line) => {
      const text = printable(line);
      if (text === '') return;
      kept.push(text);
      if (kept.length > KEPT) kept.shift();
    },
    lines: () => [...kept],
  };
};

/** A host program's failure as BUILD_FAILED with the last lines; a full disk and everything else as they are. */
export const buildFailure = (options: {
  readonly what: string;
  readonly error: unknown;
  readonly lines: readonly string[];
  readonly hints: readonly string[];
}): unknown => {
  const {what, error, lines, hints} = options;
  if (!(error instanceof AgentError) || error.code !== 'PROCESS_FAILED') return error;
  const details = lines.length > 0 ? lines : error.details.map(printable);
  if (isDiskFull(details)) return diskFull(what, error);
  return new AgentError('BUILD_FAILED', `${what} could not be built.`, {details, hints, cause: error});
};

export const isDiskFull = (lines: readonly string[]): boolean =>
  lines.some((line) => /no space left on device/i.test(line));

export const diskFull = (what: string, cause: unknown): AgentError =>
  new AgentError('DISK_FULL', `The disk is full: ${what} could not be made.`, {
    cause,
    hints: [
      'free some space, for example with: agent image list, agent image remove REF, agent vm clean --all',
    ],
  });

/** One line without control characters, and not longer than a terminal can show. */
export const printable = (line: string): string =>
  line
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/[\x00-\x1f\x7f-\x9f]/g, ' ')
    .trimEnd()
    .slice(0, 300);
