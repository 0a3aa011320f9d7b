// @ts-check
/**
 * `npm run bench`: how long the command line, a boot, a command in a running VM and a whole `vm temp` take on this
 * machine, and what a monitor takes of its memory. All measures take turns within each round, so that a noisy neighbour
 * disturbs them alike.
 */
import {writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {measure, phasesOf} from './bench/measure.mjs';
import {memoryOf} from './bench/memory.mjs';
import {openClient} from './bench/open-client.mjs';
import {measureExecs} from './bench/open-execs.mjs';
import {spread, spreadByName} from './bench/statistics.mjs';
import {describeMachine, memoryTable, phaseTable, spreadTable} from './bench/table.mjs';
import {prepare} from './prepare/prepare.mjs';
import {runMain, StepError} from './prepare/step.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const USAGE = 'usage: npm run bench -- [--runs N] [--json FILE]';

/** @param {readonly string[]} args */
const agent = (...args) =>
  measure({file: process.execPath, args: [join(root, 'bin', 'run.js'), ...args], cwd: root});

/**
 * @param {string} command
 * @param {readonly string[]} more
 */
const temp = (command, ...more) => agent('vm', 'temp', '--language', 'python', '--cmd', command, ...more);

const readOptions = () => {
  try {
    const {values} = parseArgs({options: {runs: {type: 'string', default: '10'}, json: {type: 'string'}}});
    const runs = Number(values.runs);
    if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs}: not a positive number`);
    return {runs, json: values.json};
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    throw new StepError(USAGE, {exitCode: 2});
  }
};

const EXECS_PER_ROUND = 20;
/** A monitor has given back by then what booting took. */
const SETTLED_MS = 8_000;

const EXEC = 'exec true in a running VM, open client';
const PING = 'ping of its guest, open client';
const IN_GUEST = 'the guest’s own time for it, fork to exit';
const CLI_EXEC = 'agent vm exec true, VM up';
const VERSION = 'agent --version';

/** @param {string} vm */
const exec = (vm) => agent('vm', 'exec', '--vm', vm, '--cmd', 'true');

/**
 * One round: every measure once, and what is quick several times.
 * @param {{up: string, down: string, client: import('../src/monitor/monitors.js').RunningGuest}} options
 */
const runRound = async ({up, down, client}) => {
  await agent('vm', 'stop', '--vm', down);
  const bare = await measure({file: process.execPath, args: ['-e', '0'], cwd: root});
  const version = await agent('--version');
  const list = await agent('vm', 'list');
  const cli = await exec(up);
  const first = await exec(down);
  const quick = await temp('true', '--json');
  const python = await temp("python3 -c 'print(1)'");
  const execs = await measureExecs(client.guest, EXECS_PER_ROUND);
  const phases = phasesOf(quick.stdout);
  return {
    phases,
    execs,
    times: {
      'node -e 0': bare.exitMs,
      [VERSION]: version.exitMs,
      'agent vm list': list.exitMs,
      [CLI_EXEC]: cli.exitMs,
      'agent vm exec true, which boots the VM': first.exitMs,
      'vm temp true, to exit': quick.exitMs,
      'vm temp python3, to first byte': python.firstByteMs,
      'vm temp python3, to exit': python.exitMs,
      'cold boot to agent ready': phases.boot,
    },
  };
};

/** @returns {Promise<string>} */
const createVm = async () => {
  const created = await agent('vm', 'create', '--language', 'python', '--log-format', 'json');
  return JSON.parse(created.stdout).id;
};

/** @param {string} vm */
const monitorMemory = async (vm) => {
  const {stdout} = await agent('vm', 'inspect', '--vm', vm);
  return memoryOf(JSON.parse(stdout).monitor_pid);
};

/** @param {number} runs */
const runAll = async (runs) => {
  const [up, down] = [await createVm(), await createVm()];
  try {
    await exec(up);
    await sleep(SETTLED_MS);
    const idle = await monitorMemory(up);
    const client = await openClient(root, up);
    await runRound({up, down, client});
    const rounds = [];
    for (let round = 1; round <= runs; round += 1) {
      process.stderr.write(`round ${round} of ${runs}\n`);
      rounds.push(await runRound({up, down, client}));
    }
    client.close();
    const count = (runs + 1) * EXECS_PER_ROUND;
    return {rounds, memory: {'idle, after boot': idle, [`after ${count} commands`]: await monitorMemory(up)}};
  } finally {
    await agent('vm', 'clean', '--vm', up, '--vm', down);
  }
};

/** @param {Awaited<ReturnType<typeof runAll>>['rounds']} rounds */
const summarize = (rounds) => {
  const execs = rounds.flatMap((round) => round.execs);
  const over = spread(execs.map((each) => each.over));
  const rows = {
    ...spreadByName(rounds.map(({times}) => times)),
    ...spreadByName(
      execs.map(({ping, inGuest, exec}) => ({[PING]: ping, [IN_GUEST]: inGuest, [EXEC]: exec})),
    ),
  };
  /** @param {string} name */
  const median = (name) => rows[name]?.median ?? Number.NaN;
  const whole = median(CLI_EXEC) - median(VERSION) - median(IN_GUEST);
  const lines = [
    `exec over PING + guest time: ${over.median.toFixed(1)} ms (median of ${over.runs}, each on its own; p95 ${over.p95.toFixed(1)} ms)`,
    `whole vm exec over --version + guest time: ${whole.toFixed(0)} ms (medians)`,
  ];
  return {rows, over, lines};
};

await runMain(async () => {
  const {runs, json} = readOptions();
  await prepare({root, languages: ['python']});
  const {rounds, memory} = await runAll(runs);
  const {rows, over, lines} = summarize(rounds);
  const phases = spreadByName(rounds.map((round) => round.phases));
  const machine = describeMachine();
  console.log([machine, spreadTable(rows), lines.join('\n'), memoryTable(memory)].join('\n\n'));
  console.log(`\nPhases of vm temp true:\n\n${phaseTable(phases)}`);
  if (json) {
    const time = new Date().toISOString();
    writeFileSync(json, `${JSON.stringify({machine, time, rows, over, memory, phases, rounds}, null, 2)}\n`);
  }
  return 0;
});
