/** What is started in the guest for a shell. */
import type {ExecRequest} from '../guest/guest.js';
import type {GuestImage} from '../model/guest-image.js';
import type {WindowSize} from '../model/terminal.js';
import type {VmRecord} from '../model/vm-record.js';
import {mergeEnv} from './execute.js';

export interface ShellChoice {
  readonly record: Pick<VmRecord, 'env'>;
  readonly image: Pick<GuestImage, 'config'>;
  /** Null: bash, where the image has it, else sh. */
  readonly command: string | null;
  /** `NAME=value`, for this shell only. */
  readonly env: readonly string[];
  /** Null: no terminal, but pipes. */
  readonly size: WindowSize | null;
  /** Our own environment: it knows what kind of terminal it is. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
}

export const shellRequest = (choice: ShellChoice): ExecRequest => {
  const {record, image, command, env, size, hostEnv} = choice;
  return {
    argv: [
      '/bin/sh',
      '-c',
      startScript(size !== null, command),
      'sh',
      ...(command === null ? [] : [command]),
    ],
    env: mergeEnv(
      size ? [LANGUAGE] : [],
      image.config.env,
      record.env,
      size ? terminalEnv(hostEnv) : [],
      env,
    ),
    cwd: image.config.workdir,
    user: image.config.user,
    ...(size ? {terminal: size} : {}),
  };
};

// Characters of more than a byte, in a locale that every guest has; an image knows better.
const LANGUAGE = 'LANG=C.UTF-8';

/** Of the terminal, and of the person before it; as ssh does it, little else goes in. */
const terminalEnv = (hostEnv: ShellChoice['hostEnv']): string[] => {
  const kind = hostEnv.TERM || ANY_TERMINAL;
  const passed = ['COLORTERM', 'NO_COLOR'].flatMap((name) =>
    hostEnv[name] === undefined ? [] : [`${name}=${hostEnv[name]}`],
  );
  return [`TERM=${kind}`, ...passed];
};

const ANY_TERMINAL = 'xterm-256color';

/**
 * Decides within the guest, without a second question: a kind of terminal that the image does not know is taken for the
 * one that nearly all are like. Not a login shell: /etc/profile would put another PATH in the place of the image's.
 */
const startScript = (hasTerminal: boolean, command: string | null): string =>
  [
    ...(hasTerminal ? [KNOWN_TERMINAL] : []),
    ...(command === null ? [FIND_SHELL, 'exec "$SHELL"'] : ['exec /bin/sh -c "$1"']),
  ].join('\n');

const KNOWN_TERMINAL = `
known() {
  for folder in /etc/terminfo /lib/terminfo /usr/share/terminfo; do
    [ -e "$folder/\${1%"\${1#?}"}/$1" ] && return 0
  done
  return 1
}
known "$TERM" || ! known ${ANY_TERMINAL} || TERM=${ANY_TERMINAL}`;

const FIND_SHELL = `
for SHELL in /bin/bash /usr/bin/bash /usr/local/bin/bash /bin/sh; do
  [ -x "$SHELL" ] && break
done
export SHELL`;
