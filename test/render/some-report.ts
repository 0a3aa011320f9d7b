import type {RunReport} from '../../src/model/run-report.js';
import {someRecord} from '../support/some-records.js';

/** A command that went well. */
export const someReport = (change: Partial<RunReport> = {}): RunReport => ({
  record: someRecord(),
  runId: 'abcd1234',
  stdoutPath: '/state/stdout.log',
  stderrPath: '/state/stderr.log',
  accelerator: 'tcg',
  imageDigest: 'sha256:00',
  phases: {boot: 900.4, exec: 12.6},
  exitCode: 0,
  origin: 'guest',
  signal: null,
  timedOut: false,
  truncated: false,
  limit: null,
  interpretedAs: null,
  reason: null,
  durationMs: 1_234,
  cpuMs: 5,
  maxRssKib: 900,
  out: null,
  ...change,
});
