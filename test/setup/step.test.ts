import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {describe, expect, it} from 'vitest';
import {runStep} from '../../scripts/prepare/step.mjs';
import {createTree} from './temp-tree.js';

const shell = (script: string) => ({
  title: 'A step',
  file: '/bin/sh',
  args: ['-c', script],
  cwd: '/',
  mend: 'mend it',
});

/** A program of its own around one step, as npm start is one. */
const startProgram = (script: string, screen = false): ChildProcess => {
  const root = createTree({});
  const file = join(root, 'main.mjs');
  const module = resolve('scripts/prepare/step.mjs');
  const screenModule = resolve('scripts/prepare/screen.mjs');
  writeFileSync(
    file,
    `import {runMain, runStep} from ${JSON.stringify(module)};
import {createScreen} from ${JSON.stringify(screenModule)};
const screen = ${screen} ? createScreen() : undefined;
await runMain(() => runStep({...${JSON.stringify(shell(script))}, screen}));`,
  );
  return spawn(process.execPath, [file], {stdio: ['ignore', 'pipe', 'pipe']});
};

const textOf = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
};

describe('runStep', () => {
  it('tells a program that is not there', async () => {
    await expect(runStep({...shell(''), file: '/nope/nothing'})).rejects.toThrow(
      'A step failed: cannot start /nope/nothing',
    );
  });

  const failures = {
    'shows the last words above one error with its mend': [
      'echo oops; exit 3',
      true,
      '• A step\n✖ A step (X s)\n  | oops\nerror: A step failed: /bin/sh exited with 3\n  → mend it\n',
    ],
    'leaves it at the error that the program itself gives': [
      "echo working; echo 'error: no disk' >&2; echo '  → free some' >&2; exit 1",
      true,
      '• A step\n✖ A step (X s)\nerror: no disk\n  → free some\n',
    ],
    'adds nothing to what a program has said at the terminal': [
      "echo 'error: no' >&2; exit 1",
      false,
      'error: no\n',
    ],
  } as const;
  for (const [title, [script, screen, expected]] of Object.entries(failures)) {
    it(title, async () => {
      const child = startProgram(script, screen);
      const [stderr, [code]] = await Promise.all([textOf(child.stderr), once(child, 'close')]);
      expect(stderr.replace(/[\d.]+ s\)/, 'X s)')).toBe(expected);
      expect(code).toBe(1);
    });
  }

  it('passes an interruption on and leaves nothing running', async () => {
    const child = startProgram('echo $$; exec sleep 60');
    const lines = createInterface({input: child.stdout ?? process.stdin});
    const [pid] = await once(lines, 'line');
    child.kill('SIGTERM');
    const [stderr, [code]] = await Promise.all([textOf(child.stderr), once(child, 'close')]);
    expect(code).toBe(143);
    expect(stderr).toBe('');
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  });
});
