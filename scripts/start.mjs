// @ts-check
/** `npm start`: prepares this clone, then shows a guest that boots and runs code. */
import {release} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {runChild} from './prepare/child.mjs';
import {prepare} from './prepare/prepare.mjs';
import {runMain, StepError} from './prepare/step.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** How a clone's own program is called from its folder. */
const AGENT = './bin/run.js';

const NEXT = [
  ...(process.platform === 'darwin' ? [['source ~/agentVM/.env', 'first, in each new terminal']] : []),
  [`echo 'print(6 * 7)' | ${AGENT} vm temp --language python -`, 'source on standard input'],
  [`${AGENT} vm create --language python --name first`, 'a VM that stays'],
  [`${AGENT} vm exec --vm first --cmd 'echo "I am $(uname -n)"'`, ''],
  [`${AGENT} vm clean --vm first`, ''],
  [`${AGENT} setup --language node`, 'another language: pulls or builds its image'],
  [`${AGENT} vm temp --language node --hello`, ''],
  ['npm test', 'builds the images of all languages first'],
  ['npm link', 'puts it on your PATH: then type agent instead'],
];

/** @param {readonly string[]} args */
const show = async (...args) => {
  console.log(`\n$ ${[AGENT, ...args].map(quote).join(' ')}`);
  const {code, how, interrupted} = await runChild(process.execPath, [join(root, 'bin', 'run.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
    // In a file or a pipe, log lines would drown what the guest says.
    env: process.stderr.isTTY ? process.env : {AGENT_LOG_LEVEL: 'warn', ...process.env},
  });
  if (interrupted) throw new StepError('interrupted', {exitCode: interrupted});
  if (code === 0) return;
  throw new StepError(how, {told: true});
};

/** @param {string} word */
const quote = (word) => {
  if (/^[\w./:=@-]+$/.test(word)) return word;
  return word.includes("'") ? `"${word}"` : `'${word}'`;
};

await runMain(async () => {
  await prepare({root, languages: ['python']});
  await show('vm', 'temp', '--language', 'python', '--cmd', 'uname -r');
  console.log(`  the guest's own kernel; this machine runs ${release()}`);
  await show('vm', 'temp', '--language', 'python', '--cmd', "print('Hello, World!')");
  console.log('\nThat ran in a virtual machine that booted for it and is gone again. Next:');
  const width = Math.max(...NEXT.map(([command = '']) => command.length));
  for (const [command = '', remark] of NEXT) {
    console.log(`  ${remark ? `${command.padEnd(width)}  # ${remark}` : command}`);
  }
  return 0;
});
