import {describe, expect, it} from 'vitest';
import {AgentError} from '../../src/model/errors.js';
import {toJsonLine} from '../../src/render/log-event.js';
import {createLogger} from '../../src/render/logger.js';
import {shellEndEvent, shellErrorEvent, shellEvent} from '../../src/render/shell-events.js';
import {someRecord} from '../support/some-records.js';
import {someStream} from './some-stream.js';

const record = someRecord({id: 'python-1f3k9x2m', language: 'python'});
const shell = {record, command: null};
const now = new Date('2026-01-01T01:00:00Z');
const exited = {end: 'exited', reason: null} as const;

const textOf = (event: Parameters<typeof toJsonLine>[0]): string | undefined => event.text;

describe('the log lines of a shell', () => {
  it('have their keys in the documented order', () => {
    const lines = [
      shellEvent(shell, {hasTerminal: true, left: null, now}),
      shellEndEvent({record, command: 'top'}, {...exited, exitCode: 7}),
      shellErrorEvent(shell, new AgentError('GUEST_FAILED', 'gone'), 125),
    ].map((event) => toJsonLine(event, now).trimEnd());
    const start = (level: string, message: string, name: string): string =>
      `{"level":"${level}","message":"${message}","time":"${now.toISOString()}","vm":"python-1f3k9x2m","language":"python","shell":"${name}",`;
    expect(lines).toEqual([
      `${start('info', 'vm shell', 'auto')}"terminal":true,"reentered":false}`,
      `${start('error', 'vm shell failed', 'top')}"exit_code":7,"error":"exit status 7","detached":false,"timed_out":false,"origin":"guest"}`,
      `${start('error', 'vm shell failed', 'auto')}"exit_code":125,"error":"gone","origin":"agent","code":"GUEST_FAILED"}`,
    ]);
  });

  it.each([
    [null, 'python-1f3k9x2m: ctrl-] detaches'],
    [10, 'python-1f3k9x2m: back in the shell left 10 s ago, --new opens another; ctrl-] detaches'],
    [1_800, 'python-1f3k9x2m: back in the shell left 30 min ago, --new opens another; ctrl-] detaches'],
    [36_000, 'python-1f3k9x2m: back in the shell left 10 h ago, --new opens another; ctrl-] detaches'],
  ])('tell a person how to go: left for %s s', (seconds, text) => {
    const left = seconds === null ? null : new Date(now.getTime() - seconds * 1000);
    expect(textOf(shellEvent(shell, {hasTerminal: true, left, now}))).toBe(text);
  });

  it.each([
    [{...exited, exitCode: 0}, 'info', 'vm shell completed', 'the shell has ended, exit code 0'],
    [{...exited, exitCode: 7}, 'error', 'vm shell failed', 'the shell has ended, exit code 7'],
    [
      {...exited, exitCode: 127, reason: 'execve: /bin/sh: not there'},
      'error',
      'vm shell failed',
      'execve: /bin/sh: not there',
    ],
    [{end: 'timed out', exitCode: 124, reason: null}, 'error', 'vm shell failed', 'timed out'],
    [{end: 'gone', exitCode: 129, reason: null}, 'error', 'vm shell failed', 'the terminal has gone'],
    [
      {end: 'detached', exitCode: 0, reason: null},
      'info',
      'vm shell completed',
      'detached; back with: agent vm shell --vm python-1f3k9x2m',
    ],
  ] as const)('tell how it ended: %j', (result, level, message, text) => {
    const event = shellEndEvent(shell, result);
    expect(event).toMatchObject({level, message, text: `python-1f3k9x2m: ${text}`});
    expect(event.fields.exit_code).toBe(result.exitCode);
  });

  it('are words on a terminal and JSON elsewhere', () => {
    const [terminal, file] = [someStream(true), someStream()];
    const logger = createLogger({format: 'auto', level: 'info', file: null});
    for (const stream of [terminal, file]) logger.log(stream, shellEndEvent(shell, {...exited, exitCode: 0}));
    expect(terminal.text()).toContain('python-1f3k9x2m: the shell has ended, exit code 0');
    expect(JSON.parse(file.text())).toMatchObject({message: 'vm shell completed', exit_code: 0});
  });
});
