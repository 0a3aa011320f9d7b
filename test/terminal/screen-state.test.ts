import {describe, expect, it} from 'vitest';
import {createScreenState} from '../../src/terminal/screen-state.js';

const LEAVES = '\u001b[?1049l';

/** What undoes what was drawn in these chunks. */
const undoOf = (...chunks: string[]): string => {
  const state = createScreenState();
  for (const chunk of chunks) state.watch(Buffer.from(chunk, 'latin1'));
  return state.undo();
};

describe('what undoes a screen', () => {
  it.each([
    [['\u001b[?1049h\u001b[22;0;0t']],
    [['text\u001b[?1047hmore']],
    [['\u001b[?47h']],
    [['\u001b[?25;1049h']],
    [['\u001b', '[?10', '49', 'h']],
    [[`${LEAVES}\u001b[?1049h`]],
    [['x'.repeat(100_000), '\u001b[?1049h', 'y'.repeat(100_000)]],
  ])('leaves the alternate screen that %j has entered', (chunks) => {
    expect(undoOf(...chunks)).toContain(LEAVES);
  });

  it.each([
    [[]],
    [['\u001b[?2004h\u001b[?25l\u001b[31m']],
    [['\u001b[?1049h vi ', LEAVES]],
    [['\u001b[?1049h', '\u001b[?104', '9l']],
    [['\u001b[?1049h\u001bc']],
    [['\u001b[?10490h\u001b[1049h']],
  ])('does not leave it after %j, which would move the cursor', (chunks) => {
    expect(undoOf(...chunks)).not.toContain(LEAVES);
  });

  it.each([
    ['cursor keys', '\u001b[?1l'],
    ['keypad', '\u001b>'],
    ['cursor', '\u001b[?25h'],
    ['mouse', '\u001b[?1000l'],
    ['mouse that moves', '\u001b[?1003l'],
    ['mouse beyond column 223', '\u001b[?1006l'],
    ['focus', '\u001b[?1004l'],
    ['pasted text', '\u001b[?2004l'],
    ['colours', '\u001b[0m'],
  ])('gives back: %s', (_, sequence) => {
    expect(undoOf()).toContain(sequence);
  });

  it('takes back what kitty was told of the keyboard, where it was', () => {
    expect(undoOf('\u001b[>1u')).toContain('\u001b[<9u');
    expect(undoOf('\u001b[>1u', '\u001b[<u')).not.toContain('\u001b[<');
    expect(undoOf('x')).not.toContain('\u001b[<');
  });

  it.each([
    ['$ ', true],
    ['$ ls\r\nfile\r\n', false],
    ['', false],
    ['\u001b[?1049h~', false],
  ])('begins a line of its own after %j: %s', (drawn, isNew) => {
    expect(undoOf(drawn).endsWith('\r\n')).toBe(isNew);
  });
});
