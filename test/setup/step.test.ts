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
const startProgram = (script: string): ChildProcess => {
  const root = createTree({});
  const file = join(root, 'main.mjs');
  const module = resolve('scripts/prepare/step.mjs');
  writeFileSync(
    file,
    `import {runMain, runStep} from ${JSON.stringify(module)};
await runMain(() => runStep(${JSON.stringify(shell(script))}));`,
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

  it('ends a program with one error, its mend and exit code 1', async () => {
    const child = startProgram('exit 3');
    const [stderr, [code]] = await Promise.all([textOf(child.stderr), once(child, 'close')]);
    expect(stderr).toBe('error: A step failed: /bin/sh exited with 3\n  → mend it\n');
    expect(code).toBe(1);
  });

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
