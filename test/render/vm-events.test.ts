import {describe, expect, it} from 'vitest';
import {AgentError} from '../../src/model/errors.js';
import {type LogEvent, toJsonLine} from '../../src/render/log-event.js';
import {
  cleanedEvent,
  createdEvent,
  endErrorEvent,
  runErrorEvent,
  runEvent,
  stoppedEvent,
  tempCleanedEvent,
  tempCreatedEvent,
} from '../../src/render/vm-events.js';
import {someRecord} from '../support/some-records.js';
import {someReport} from './some-report.js';

const record = someRecord();
const error = new AgentError('BOOT_FAILED', 'no boot', {hints: ['try again', 'or not'], details: ['seen']});
const time = new Date('2026-01-31T12:00:00.000Z');
const parsed = (event: LogEvent): Record<string, unknown> => JSON.parse(toJsonLine(event, time));

const created = ['id', 'language', 'rootfs', 'cpu_count', 'memoryMiB', 'network', 'persisted'];
const ran = ['exit_code', 'stdout', 'stderr', 'duration'];

describe('a log line', () => {
  it.each<[LogEvent, string, string, readonly string[]]>([
    [createdEvent(record), 'info', 'vm created', [...created, 'created_at']],
    [tempCreatedEvent(record), 'info', 'temporary vm created', created],
    [runEvent('vm run', someReport()), 'info', 'vm run', ['vm', ...ran]],
    [runEvent('vm run', someReport({exitCode: 3})), 'error', 'vm run failed', ['vm', ...ran, 'error']],
    [runEvent('vm exec', someReport()), 'info', 'vm exec', ['vm', 'language', ...ran]],
    [
      runEvent('vm exec', someReport({exitCode: 3})),
      'error',
      'vm exec failed',
      ['vm', 'language', ...ran, 'error'],
    ],
    [
      runEvent('temporary vm execution', someReport()),
      'info',
      'temporary vm execution completed',
      ['vm', 'language', ...ran],
    ],
    [
      runErrorEvent('temporary vm execution', {record, error, exitCode: 125}),
      'error',
      'temporary vm execution failed',
      ['vm', 'language', ...ran, 'error'],
    ],
    [
      runErrorEvent('vm run', {record, error, exitCode: 125}),
      'error',
      'vm run failed',
      ['vm', ...ran, 'error'],
    ],
    [tempCleanedEvent(record), 'info', 'temporary vm cleaned up', ['vm']],
    [stoppedEvent(record), 'info', 'vm stopped', ['vm', 'language']],
    [endErrorEvent('stop', record, error), 'error', 'vm stop failed', ['vm', 'language', 'error']],
    [cleanedEvent(record, true), 'info', 'vm cleaned', ['vm', 'language', 'keep_persist']],
    [endErrorEvent('clean', record, error), 'error', 'vm clean failed', ['vm', 'language', 'error']],
  ])('has its keys in the promised order: %#', (event, level, message, keys) => {
    const line = parsed(event);
    expect(line).toMatchObject({level, message, time: '2026-01-31T12:00:00.000Z'});
    expect(Object.keys(line).slice(0, 3 + keys.length)).toEqual(['level', 'message', 'time', ...keys]);
  });

  it('is one line, whatever the guest or the user wrote', () => {
    const event = endErrorEvent('stop', record, new AgentError('GUEST_FAILED', 'a\nb\u001b[31m\u2028'));
    expect(toJsonLine(event, time).split('\n')).toHaveLength(2);
    expect(toJsonLine(event, time)).not.toContain('\u001b');
  });

  it('of a failure names code, hint and what was seen', () => {
    const line = parsed(runErrorEvent('vm run', {record, error, exitCode: 125}));
    expect(line).toMatchObject({
      exit_code: 125,
      origin: 'agent',
      code: 'BOOT_FAILED',
      hint: 'try again; or not',
      details: ['seen'],
      duration: null,
    });
  });
});

describe('the log line of a run', () => {
  it('gives times in seconds and whole milliseconds', () => {
    expect(parsed(runEvent('vm run', someReport()))).toMatchObject({
      duration: '1.234s',
      phases: {boot: 900, exec: 13},
      run: 'abcd1234',
      origin: 'guest',
    });
  });

  it.each([
    [{exitCode: 3}, 'exit status 3'],
    [{exitCode: 137, signal: 9}, 'ended by signal 9'],
    [{exitCode: 137, signal: 9, limit: 'memory' as const}, 'the guest ran out of memory'],
    [{exitCode: 124, timedOut: true, limit: 'time' as const}, 'timed out after 1.234s'],
    [{exitCode: 127, reason: 'not found'}, 'not found'],
  ])('says why it failed: %j', (change, expected) => {
    expect(parsed(runEvent('vm run', someReport(change))).error).toBe(expected);
  });
});
