import {describe, expect, it} from 'vitest';
import {AgentError} from '../../src/model/errors.js';
import type {RunReport} from '../../src/model/run-report.js';
import {copiedEvent} from '../../src/render/copy-events.js';
import {type LogEvent, toJsonLine} from '../../src/render/log-event.js';
import {shellEndEvent, shellErrorEvent, shellEvent} from '../../src/render/shell-events.js';
import {
  cleanedEvent,
  createdEvent,
  endErrorEvent,
  runEvent,
  stoppedEvent,
  tempCleanedEvent,
  tempCreatedEvent,
} from '../../src/render/vm-events.js';
import {volumeErrorEvent, volumeRemovedEvent} from '../../src/render/volume-events.js';
import {someRecord} from '../support/some-records.js';
import {blockLines, inlineCode, read, section, tableRows} from './documents.js';

const readme = read('README.md');
const record = someRecord({name: 'first'});
const report = (exitCode: number): RunReport => ({
  record,
  exitCode,
  origin: 'guest',
  signal: null,
  timedOut: false,
  truncated: false,
  limit: exitCode === 0 ? null : 'time',
  interpretedAs: exitCode === 0 ? null : 'python',
  reason: null,
  durationMs: 1,
  cpuMs: 1,
  maxRssKib: 1,
  out: exitCode === 0 ? null : {files: 1, directories: 0, bytes: 1, skipped: 0},
  runId: '00000000',
  stdoutPath: '/out',
  stderrPath: '/err',
  accelerator: 'tcg',
  imageDigest: 'sha256:0',
  phases: {boot: 1, exec: 1, cleanup: 1},
});
const error = new AgentError('VM_BUSY', 'busy', {hints: ['wait'], details: ['seen']});

const events: readonly LogEvent[] = [
  createdEvent(record),
  tempCreatedEvent(record),
  ...(['vm run', 'vm exec', 'temporary vm execution'] as const).flatMap((verb) =>
    [0, 3].map((exitCode) => runEvent(verb, report(exitCode))),
  ),
  shellEvent({record, command: null}, {hasTerminal: true, left: null, now: new Date()}),
  ...[0, 3].map((exitCode) =>
    shellEndEvent({record, command: 'vi'}, {end: 'exited', exitCode, reason: null}),
  ),
  shellErrorEvent({record, command: null}, error, 125),
  tempCleanedEvent(record),
  copiedEvent({record, source: 'a', target: 'b', files: 1, directories: 0, bytes: 1, skipped: 0}),
  createdEvent({...record, volume: 'data'}),
  volumeRemovedEvent('data', true),
  volumeErrorEvent('data', error),
  stoppedEvent(record),
  cleanedEvent(record, false),
  endErrorEvent('stop', record, error),
  endErrorEvent('clean', record, error),
];

describe('the section of README on output', () => {
  const text = section(readme, 'Output');

  it('has every event of VMs, at its level', () => {
    const rows = tableRows(text)
      .map(([names = '', levels = '']) => ({names: inlineCode(names), levels}))
      .filter(({levels}) => /^(?:debug|info|warn|error)\b/.test(levels));
    for (const {message, level} of events) {
      const row = rows.find(({names}) => names.includes(message));
      expect(row?.levels, message).toContain(level);
    }
  });

  it('names every field of every event', () => {
    const named = new Set(inlineCode(text));
    for (const {message, fields} of events) {
      for (const field of Object.keys(fields)) expect(named, `${message}: ${field}`).toContain(field);
    }
  });

  it('shows lines with the fields that the events have', () => {
    const shown: Record<string, unknown>[] = blockLines(text, 'json').map((line) => JSON.parse(line));
    expect(shown.length).toBeGreaterThanOrEqual(2);
    for (const line of shown) {
      const event = events.find(({message}) => message === line.message);
      const ours: Record<string, unknown> = event ? JSON.parse(toJsonLine(event, new Date())) : {};
      // These are there only when there is something to say.
      const sometimes = ['limit', 'interpreted_as', 'out'];
      expect(Object.keys(line)).toEqual(Object.keys(ours).filter((key) => !sometimes.includes(key)));
    }
  });
});
