/** Processes that run while a test looks at them. */
import type {ChildProcess} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {type AgentResult, jsonLines} from '../support/agent.js';

/** A process that runs, and how it ends. */
export interface Begun {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<AgentResult>;
}

/** Reads its streams; its standard input stays open. */
export const watch = (child: ChildProcess): Begun => {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('latin1');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin?.on('error', () => {}); // it has ended
  const ended = new Promise<AgentResult>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({code, signal, stdout: Buffer.from(stdout, 'latin1'), stderr, events: jsonLines(stderr)});
    });
  });
  return {child, said: () => stdout, ended};
};

/** Waits for what must come true. */
export const until = async (what: string, isTrue: () => boolean, deadlineMs = 30_000): Promise<void> => {
  const deadline = Date.now() + deadlineMs;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await sleep(20);
  }
};
