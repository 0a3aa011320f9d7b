import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, describe, expect, it} from 'vitest';
import {buildCPrograms} from '../../scripts/bench/c-programs.mjs';
import {measure} from '../../scripts/bench/measure.mjs';

const folder = mkdtempSync(join(tmpdir(), 'agent-test-'));
afterAll(() => rmSync(folder, {recursive: true}));
const programs = buildCPrograms(folder);

/** Computes for as long as a shell takes to count that far. */
const BUSY = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done';
const sh = (script: string, more: Partial<Parameters<typeof measure>[0]> = {}) =>
  measure({
    file: '/bin/sh',
    args: ['-c', script],
    cwd: folder,
    runMeasured: programs?.runMeasured,
    deadlineMs: 20_000,
    ...more,
  });

describe.runIf(programs)('a program that is measured', () => {
  it('gives its output, its first byte before its end, and its processor time', async () => {
    const {stdout, firstByteMs = 0, exitMs, cpuMs = 0} = await sh(`echo one; ${BUSY}; echo two`);
    expect(stdout).toBe('one\ntwo\n');
    expect(firstByteMs).toBeLessThan(exitMs);
    expect(cpuMs).toBeGreaterThan(20);
  });

  it('is charged for what it leaves behind, and has ended before', async () => {
    const away = '>/dev/null 2>&1';
    const counted = await sh(`(sleep 1.5; ${BUSY}) ${away} &`);
    expect(counted.exitMs).toBeLessThan(1_400);
    expect(counted.cpuMs).toBeGreaterThan(20);
    const left = await sh(`(sleep 1.5; ${BUSY}) ${away} &`, {leavesProcesses: true});
    expect(left.cpuMs).toBeLessThan(20);
  });

  it('that fails is an error with its last words', async () => {
    await expect(sh('echo sorry >&2; exit 3')).rejects.toThrow(/exited with 3: sorry/);
  });

  it('that leaves something for ever is late, and nothing of it stays', async () => {
    const mark = `sleep 9${process.pid}`;
    await expect(sh(`${mark} >/dev/null 2>&1 & exit 0`, {deadlineMs: 300})).rejects.toThrow('after 300 ms');
    const {stdout} = await sh(`ps -eo args | grep -c "^${mark}" || true`);
    expect(stdout.trim()).toBe('0');
  });

  it('is told when we are interrupted', async () => {
    const interruption = new AbortController();
    const running = sh('trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done', {
      signal: interruption.signal,
    });
    await sleep(300);
    interruption.abort();
    await expect(running).rejects.toThrow('exited with 7');
  });
});

it('needs no C programs where there are none', async () => {
  const {cpuMs, exitMs} = await sh('true', {runMeasured: undefined});
  expect(cpuMs).toBeUndefined();
  expect(exitMs).toBeGreaterThan(0);
});
