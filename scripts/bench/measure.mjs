// @ts-check
import {spawn} from 'node:child_process';
import {Readable} from 'node:stream';

const DEADLINE_MS = 120_000;
/** run-measured ends what is late by itself; this is for when it cannot. */
const LAST_RESORT_MS = 30_000;
const KEPT_LINES = 5;

/**
 * @typedef {{
 *   file: string,
 *   args: readonly string[],
 *   cwd: string,
 *   env?: NodeJS.ProcessEnv,
 *   runMeasured: string | undefined,
 *   leavesProcesses?: boolean,
 *   deadlineMs?: number,
 *   signal?: AbortSignal,
 * }} Command `leavesProcesses`: what it starts may stay, and is not counted
 */

/**
 * @typedef {{
 *   exitMs: number,
 *   firstByteMs: number | undefined,
 *   cpuMs: number | undefined,
 *   stdout: string,
 *   stderr: string,
 * }} Measured Milliseconds from its start to its first byte of output and to its end, and of processor time, its own and
 *   that of all that it has started
 */

/**
 * One run of a program. Throws where it fails, since the time of a failure measures nothing.
 * @param {Command} command
 * @returns {Promise<Measured>}
 */
export const measure = async (command) => {
  const {code, late, ...measured} = await runToEnd(command);
  const name = command.args.join(' ');
  if (late) throw new Error(`${name}: not done, or not gone, after ${command.deadlineMs ?? DEADLINE_MS} ms`);
  if (code !== 0) throw new Error(`${name} exited with ${code}: ${lastLines(measured.stderr)}`);
  return measured;
};

/**
 * @param {Command} command
 * @returns {Promise<Measured & {code: number | null, late: boolean}>}
 */
const runToEnd = ({
  file,
  args,
  cwd,
  env = process.env,
  runMeasured,
  leavesProcesses = false,
  deadlineMs = DEADLINE_MS,
  signal,
}) =>
  new Promise((resolve, reject) => {
    const [program = file, ...words] = runMeasured
      ? [runMeasured, leavesProcesses ? 'own' : 'all', String(deadlineMs), file, ...args]
      : [file, ...args];
    const spawnedAt = process.hrtime.bigint();
    /** @type {bigint | undefined} */
    let firstByteAt;
    const child = spawn(program, words, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', runMeasured ? 'pipe' : 'ignore'],
    });
    child.stdout?.once('data', () => {
      firstByteAt = process.hrtime.bigint();
    });
    const [stdout, stderr, report] = [child.stdout, child.stderr, child.stdio[3]].map(collect);
    const stop = () => child.kill('SIGTERM');
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    let isLate = false;
    const timer = setTimeout(
      () => {
        isLate = true;
        child.kill('SIGKILL');
      },
      deadlineMs + (runMeasured ? LAST_RESORT_MS : 0),
    );
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (code) => {
      settle();
      const {startedAt, late, ...times} = timesOf(report?.() ?? '', spawnedAt);
      const firstByteMs = firstByteAt === undefined ? undefined : Number(firstByteAt - startedAt) / 1e6;
      resolve({
        ...times,
        firstByteMs,
        late: late || isLate,
        code,
        stdout: stdout?.() ?? '',
        stderr: stderr?.() ?? '',
      });
    });
  });

/**
 * What run-measured has said; without it, what we saw.
 * @param {string} report
 * @param {bigint} spawnedAt
 */
const timesOf = (report, spawnedAt) => {
  if (report === '') {
    const exitMs = Number(process.hrtime.bigint() - spawnedAt) / 1e6;
    return {startedAt: spawnedAt, exitMs, cpuMs: undefined, late: false};
  }
  const said = JSON.parse(report);
  return {
    startedAt: BigInt(said.started_ns), // the clock of hrtime
    exitMs: said.exit_us / 1000,
    cpuMs: (said.user_us + said.system_us) / 1000,
    late: said.late === true,
  };
};

/** @param {unknown} stream */
const collect = (stream) => {
  /** @type {Buffer[]} */
  const chunks = [];
  if (stream instanceof Readable) stream.on('data', (chunk) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
};

/** @param {string} text */
const lastLines = (text) => text.trim().split('\n').slice(-KEPT_LINES).join(' | ');

/**
 * The phases that a command's log tells, in milliseconds.
 * @param {string} log
 * @returns {Record<string, number>}
 */
export const phasesOf = (log) => {
  for (const line of log.trim().split('\n').reverse()) {
    if (!line.startsWith('{')) continue;
    const {phases} = JSON.parse(line);
    if (phases !== undefined) return phases;
  }
  throw new Error(`no phases in: ${log}`);
};
