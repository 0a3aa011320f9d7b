/** A real terminal: a tmux server of the test's own with one window, in which the host's `sh` waits for commands. */
import {execFileSync} from 'node:child_process';
import {closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {until} from './until.js';

export interface Tmux {
  /** Text as it is, and then the keys that tmux knows by these names: `Enter`, `C-c`, `Escape`. */
  readonly type: (text: string, ...keys: string[]) => void;
  readonly paste: (text: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** What is seen, without the spaces at the ends of lines and the empty lines below. */
  readonly screen: () => string;
  /** Waits until something is seen; returns the screen. */
  readonly seen: (what: string | RegExp, deadlineMs?: number) => Promise<string>;
  /** A format of tmux for the window, such as `#{alternate_on}`. */
  readonly format: (format: string) => string;
  /** What `stty -g` says of the terminal. */
  readonly modes: () => string;
  /** Ends the server and all that runs in it. */
  readonly end: () => void;
}

interface TmuxOptions {
  readonly env: Readonly<Record<string, string>>;
  /** For the host's shell to run first. */
  readonly startup?: string;
  readonly columns?: number;
  readonly rows?: number;
}

export const PROMPT = 'host>';

export const openTmux = ({env, startup: lines = '', columns = 80, rows = 24}: TmuxOptions): Tmux => {
  const folder = mkdtempSync(join(tmpdir(), 'tmux-'));
  const startup = join(folder, 'startup');
  writeFileSync(startup, `PS1='${PROMPT} '\n${lines}\n`);
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-S', join(folder, 's'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: {...process.env, ...env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', ENV: startup},
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    });
  const size = ['-x', String(columns), '-y', String(rows)];
  tmux('new-session', '-d', ...size, 'exec sh -i', ';', 'set-option', '-g', 'window-size', 'manual');
  const format = (text: string): string => tmux('display-message', '-p', text).trimEnd();
  const screen = (): string => tmux('capture-pane', '-p').trimEnd();
  return {
    type: (text, ...keys) => {
      if (text !== '') tmux('send-keys', '-l', '--', text);
      if (keys.length > 0) tmux('send-keys', ...keys);
    },
    paste: (text) => {
      execFileSync('tmux', ['-S', join(folder, 's'), 'load-buffer', '-'], {input: text, timeout: 20_000});
      tmux('paste-buffer', '-r');
    },
    resize: (newColumns, newRows) => {
      tmux('resize-window', '-x', String(newColumns), '-y', String(newRows));
    },
    screen,
    seen: async (what, deadlineMs = 20_000) => {
      const isSeen = (text: string): boolean =>
        typeof what === 'string' ? text.includes(what) : what.test(text);
      try {
        await until('', () => isSeen(screen()), deadlineMs);
      } catch {
        throw new Error(`not seen in time: ${what}; the screen shows:\n${screen()}`);
      }
      return screen();
    },
    format,
    modes: () => {
      const terminal = openSync(format('#{pane_tty}'), constants.O_RDONLY | constants.O_NOCTTY);
      try {
        return execFileSync('stty', ['-g'], {stdio: [terminal, 'pipe', 'inherit'], encoding: 'utf8'});
      } finally {
        closeSync(terminal);
      }
    },
    end: () => {
      tmux('kill-server');
      rmSync(folder, {recursive: true, force: true});
    },
  };
};
