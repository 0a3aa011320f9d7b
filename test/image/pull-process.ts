/** A pull in a process of its own, and what is left of it. */
import {type ChildProcess, spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';

/** `pull-child.ts ARGS`. */
export const startPull = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', 'test/image/pull-child.ts', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

/** Until it transfers the first layer. */
export const saysLayer = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('layer 1')) resolve();
    });
    child.once('exit', () => reject(new Error(`it ended by itself: ${said}`)));
  });

/** Ids of the processes, other than this one, whose command line has the text. */
export const processesNaming = (text: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => commandLine(pid).includes(text))
    .map(Number);

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
};

export const until = async (isSo: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error('it never came to be');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
