// @ts-check
/**
 * `npm run bench`: how long the command line, a boot and a whole `vm temp` take on this machine. All measures take
 * turns within each round, so that a noisy neighbour disturbs them alike.
 */
import {writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {measure, phasesOf} from './bench/measure.mjs';
import {spreadByName} from './bench/statistics.mjs';
import {describeMachine, phaseTable, spreadTable} from './bench/table.mjs';
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

/**
 * One round: every measure once.
 * @param {string} vm id of a VM to run in
 */
const runRound = async (vm) => {
  const bare = await measure({file: process.execPath, args: ['-e', '0'], cwd: root});
  const version = await agent('--version');
  const list = await agent('vm', 'list');
  const exec = await agent('vm', 'exec', '--vm', vm, '--cmd', 'true');
  const quick = await temp('true', '--json');
  const python = await temp("python3 -c 'print(1)'");
  const phases = phasesOf(quick.stdout);
  return {
    phases,
    times: {
      'node -e 0': bare.exitMs,
      'agent --version': version.exitMs,
      'agent vm list': list.exitMs,
      'vm exec true, to exit': exec.exitMs,
      'vm temp true, to exit': quick.exitMs,
      'vm temp python3, to first byte': python.firstByteMs,
      'vm temp python3, to exit': python.exitMs,
      'cold boot to agent ready': phases.boot,
    },
  };
};

/** @param {number} runs */
const runAll = async (runs) => {
  const created = await agent('vm', 'create', '--language', 'python', '--log-format', 'json');
  const vm = JSON.parse(created.stdout).id;
  try {
    await runRound(vm);
    const rounds = [];
    for (let round = 1; round <= runs; round += 1) {
      process.stderr.write(`round ${round} of ${runs}\n`);
      rounds.push(await runRound(vm));
    }
    return rounds;
  } finally {
    await agent('vm', 'clean', '--vm', vm);
  }
};

await runMain(async () => {
  const {runs, json} = readOptions();
  await prepare({root, languages: ['python']});
  const rounds = await runAll(runs);
  const rows = spreadByName(rounds.map(({times}) => times));
  const phases = spreadByName(rounds.map((round) => round.phases));
  const machine = describeMachine();
  console.log(`${machine}\n\n${spreadTable(rows)}\n\nPhases of vm temp true:\n\n${phaseTable(phases)}`);
  if (json)
    writeFileSync(
      json,
      `${JSON.stringify({machine, time: new Date().toISOString(), rows, phases, rounds}, null, 2)}\n`,
    );
  return 0;
});
