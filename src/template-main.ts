/**
 * The maker's process: `template-main.js LAUNCHER DIGEST CPUS MEMORY NETWORK [LANGUAGE]` makes one template, giving way
 * to whatever else wants the processor, and ends. Started after a boot that a template would have spared; not meant to be
 * typed.
 */
import {statSync, writeFileSync} from 'node:fs';
import {setPriority} from 'node:os';
import {createContext} from './context.js';
import {toAgentError} from './model/errors.js';
import {isAlive} from './process/identity.js';
import {markOf} from './template-maker/mark.js';
import {fromWords, type MakerOrder} from './template-maker/order.js';
import {makeTemplate} from './vm/make-template.js';
import type {VmContext} from './vm/vm-context.js';

const DEADLINE_MS = 5 * 60_000;
/** For what is left to be ended when it was interrupted. */
const LAST_MS = 20_000;
const LOOK_EVERY_MS = 500;
/** Low enough to give way, and not so low that it never ends on a busy machine. */
const LOW = 10;

/** Those of each session compete as one, where the kernel groups them: sched(7), The autogroup feature. */
const yieldToOthers = (): void => {
  try {
    setPriority(LOW);
    writeFileSync('/proc/self/autogroup', String(LOW));
  } catch {
    // not grouped, or not Linux
  }
};

const interruption = new AbortController();
const interrupt = (): void => {
  interruption.abort();
  setTimeout(() => process.exit(1), LAST_MS).unref();
};

const watch = ({paths}: VmContext): void => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, interrupt);
  setTimeout(interrupt, DEADLINE_MS).unref();
  setInterval(() => {
    if (!statSync(paths.root, {throwIfNoEntry: false})) interrupt();
  }, LOOK_EVERY_MS).unref();
};

const say = (text: string): void => console.error(`${new Date().toISOString()} ${text}`);

const make = async (context: VmContext, order: MakerOrder): Promise<void> => {
  const {digest, cpus, memoryMib, network, launcher, language} = order;
  const image = context.images.find(digest);
  if (!image) return say(`the image ${digest} has gone`);
  const spec = {image, cpus, memoryMib, network};
  const {template} = await makeTemplate(context, {launcher, language, spec});
  say(`done: ${template.sizeBytes} bytes`);
};

const run = async (order: MakerOrder): Promise<void> => {
  const context = createContext({
    env: process.env,
    signal: interruption.signal,
    progress: {step: say, detail: say},
  });
  watch(context);
  const place = {stateFolder: context.paths.root, runtimeFolder: context.paths.runtime};
  const mark = markOf(place, order, isAlive);
  try {
    await make(context, order);
    mark.remove();
  } catch (thrown) {
    const {code, message, details} = toAgentError(thrown);
    for (const line of [message, ...details]) say(line);
    if (interruption.signal.aborted || code === 'IMAGE_NOT_FOUND') mark.remove();
    else mark.fail(message);
  }
};

yieldToOthers();
const order = fromWords(process.argv.slice(2));
if (order) await run(order);
process.exit(order ? 0 : 2);
