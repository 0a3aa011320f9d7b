/** What a program that was cut off has left of a terminal, and the sequences that undo it. */
export interface ScreenState {
  /** Told of everything that is drawn. */
  readonly watch: (chunk: Buffer) => void;
  /** Whether it is as it was found. */
  readonly isTidy: () => boolean;
  /** To be written once nobody draws any more. */
  readonly undo: () => string;
}

const NEWLINE = 0x0a;
const ESCAPE = 0x1b;
/** The second byte of U+009B in UTF-8. */
const CSI = 0x9b;
const LONGEST_SEQUENCE = 40;

// Modes set and reset, the keyboard mode of kitty pushed and popped, and the reset of everything. CSI also as U+009B.
const SEQUENCES = /(?:\u001b\[|\u00c2\u009b)(?:(\??[\d;]{1,32})([hl])|([<>])\d{0,4}u)|\u001bc/g;
const UNFINISHED = /(?:\u001b|\u00c2|(?:\u001b\[|\u00c2\u009b)[?<>]?[\d;]{0,32})$/;
const ALTERNATE_SCREENS: readonly string[] = ['?47', '?1047', '?1049'];
/** Lines wrap, the cursor shows. */
const ON_AT_FIRST: readonly string[] = ['?7', '?25'];

/** `?1;25` as `?1` and `?25`. */
const namesOf = (modes: string): string[] => {
  const mark = modes.startsWith('?') ? '?' : '';
  return modes
    .slice(mark.length)
    .split(';')
    .map((mode) => `${mark}${mode}`);
};

export const createScreenState = (): ScreenState => {
  let isAlternate = false;
  const changed = new Set<string>();
  let hasKeyboardMode = false;
  let isMidLine = false;
  let rest = '';
  const setMode = (mode: string, isOn: boolean): void => {
    if (ALTERNATE_SCREENS.includes(mode)) isAlternate = isOn;
    if (isOn === ON_AT_FIRST.includes(mode)) changed.delete(mode);
    else changed.add(mode);
  };
  const apply = ([sequence, modes = '', action, keyboard]: RegExpMatchArray): void => {
    if (action) for (const mode of namesOf(modes)) setMode(mode, action === 'h');
    if (keyboard) hasKeyboardMode = keyboard === '>';
    if (sequence === '\u001bc') {
      isAlternate = hasKeyboardMode = false;
      changed.clear();
    }
  };
  return {
    watch: (chunk) => {
      if (chunk.length > 0) isMidLine = chunk.at(-1) !== NEWLINE;
      if (rest === '' && !chunk.includes(ESCAPE) && !chunk.includes(CSI)) return;
      const text = rest + chunk.toString('latin1');
      for (const match of text.matchAll(SEQUENCES)) apply(match);
      rest = UNFINISHED.exec(text.slice(-LONGEST_SEQUENCE))?.[0] ?? '';
    },
    isTidy: () => changed.size === 0 && !hasKeyboardMode,
    undo: () =>
      [
        // These two move the cursor: only where they were set.
        ...['?6', '?69'].filter((mode) => changed.has(mode)).map((mode) => `\u001b[${mode}l`),
        hasKeyboardMode ? '\u001b[<9u' : '',
        // Leaving a screen that is not there would move the cursor; the scroll region moves it in any case.
        isAlternate ? '\u001b[r\u001b[?1049l' : '\u001b7\u001b[r\u001b8',
        ALWAYS,
        isMidLine && !isAlternate ? '\r\n' : '',
      ].join(''),
  };
};

const MOUSE_AND_FOCUS = [9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016];

const ALWAYS = [
  '\u001b[>4m', // keys with modifiers as ever; some terminals take it for underlining, so colours come later
  '\u001b[?1l\u001b>', // cursor keys and keypad
  ...MOUSE_AND_FOCUS.map((mode) => `\u001b[?${mode}l`),
  '\u001b[?2004l', // bracketed paste
  '\u001b[?2026l', // drawing held back
  '\u001b[?5l\u001b[?1007l', // reverse video, wheel as arrow keys
  '\u001b[?7h\u001b[4l\u001b[2l\u001b[20l', // lines wrap, text overwrites, keys are taken, a new line is only that
  '\u001b[?25h\u001b[0 q', // the cursor, and its shape
  '\u001b[0m\u001b(B\u000f', // colours and character set
].join('');
