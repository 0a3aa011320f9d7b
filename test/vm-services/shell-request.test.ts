import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {type ShellChoice, shellRequest} from '../../src/vm/shell-request.js';

const choice: ShellChoice = {
  record: {env: ['A=vm', 'B=vm', 'C=vm']},
  image: {config: {env: ['PATH=/image/bin', 'A=image', 'LANG=C'], workdir: '/srv', user: 'me'}},
  command: null,
  env: ['C=shell', 'TERM=mine'],
  size: {rows: 24, columns: 80},
  hostEnv: {TERM: 'tmux-256color', COLORTERM: 'truecolor', HOME: '/home/me', LANG: 'de_DE.UTF-8'},
};

/** Runs what the guest would start, here, with `exec` in the place of its last word. */
const runHere = (changes: Partial<ShellChoice>, env: Record<string, string>, shows: string): string => {
  const [file = '', ...args] = shellRequest({...choice, ...changes}).argv;
  const script = (args[1] ?? '').replace('exec "$SHELL"', shows);
  return execFileSync(file, ['-c', script, ...args.slice(2)], {env, encoding: 'utf8'});
};

describe('what is started for a shell', () => {
  it('gets the environment of image, VM, terminal and flags, the last of a name', () => {
    const {env, cwd, user, terminal} = shellRequest(choice);
    expect(Object.fromEntries(env.map((entry) => entry.split('=', 2)))).toEqual({
      PATH: '/image/bin',
      LANG: 'C',
      A: 'vm',
      B: 'vm',
      C: 'shell',
      TERM: 'mine',
      COLORTERM: 'truecolor',
    });
    expect({cwd, user, terminal}).toEqual({cwd: '/srv', user: 'me', terminal: {rows: 24, columns: 80}});
  });

  it('knows nothing of our terminal where it has none', () => {
    const request = shellRequest({...choice, size: null, env: []});
    expect(request.env.filter((entry) => /^(?:TERM|COLORTERM)=/.test(entry))).toEqual([]);
    expect(request.terminal).toBeUndefined();
  });

  it('is a kind of terminal and a locale where nobody says which', () => {
    const image = {config: {env: [], workdir: '/', user: ''}};
    const {env} = shellRequest({...choice, image, record: {env: []}, env: [], hostEnv: {}});
    expect(env).toEqual(['LANG=C.UTF-8', 'TERM=xterm-256color']);
  });

  it('says which shell it is', () => {
    const said = runHere({}, {TERM: 'xterm', SHELL: '/bin/none'}, 'echo "$SHELL"');
    expect(said).toMatch(/^\/(?:usr\/)?bin\/(?:ba)?sh\n$/);
  });

  it.each([
    ['xterm', 'xterm'],
    ['a-terminal-of-tomorrow', 'xterm-256color'],
  ])('takes the terminal %s for %s', (TERM, taken) => {
    expect(runHere({}, {TERM}, 'echo "$TERM"')).toBe(`${taken}\n`);
    expect(runHere({command: 'echo "$TERM"'}, {TERM}, '')).toBe(`${taken}\n`);
  });

  it.each([`echo 'a  b' "$0"`, 'cd / && pwd', 'echo "; $(echo x)"; exit 0'])(
    'runs %s as it is',
    (command) => {
      const expected = execFileSync('/bin/sh', ['-c', command], {encoding: 'utf8'});
      expect(runHere({command}, {TERM: 'xterm', PATH: '/usr/bin:/bin'}, '')).toBe(expected);
      expect(runHere({command, size: null}, {PATH: '/usr/bin:/bin'}, '')).toBe(expected);
    },
  );
});
