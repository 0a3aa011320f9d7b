/** What a guest's console said, as lines for people. */
import {printable} from './printable.js';

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 200;

/** The last lines, bounded; after a panic those up to its reason. What else was said, for example by the VMM, comes last. */
export const lastLinesOf = (console: Buffer, words: Buffer = Buffer.alloc(0)): string[] =>
  [...untilPanic(toLines(console)), ...toLines(words)].slice(-MAX_LINES);

/** What a kernel prints after its panic is registers and stack: the reason, and what led to it, come before. */
const untilPanic = (lines: readonly string[]): string[] => {
  const panic = lines.findLastIndex((line) => line.includes('Kernel panic - not syncing'));
  return panic < 0 ? [...lines] : lines.slice(0, panic + 1);
};

/** Guest bytes as lines that are safe to show: no terminal escapes, nothing unprintable. */
export const toLines = (bytes: Buffer): string[] =>
  bytes
    .toString('utf8')
    .replace(ESCAPES, '')
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '')
    .map((line) => printable(line, MAX_LINE_LENGTH));

// CSI sequences, OSC strings, and two-character escapes (ECMA-48).
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -~])/g;
