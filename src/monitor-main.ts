/** The monitor's process: `monitor-main.js ID`. Started by `vm run`, `exec`, `shell` and `cp`; not meant to be typed. */
import {closeSync, openSync, writeSync} from 'node:fs';
import {createContext} from './context.js';
import {toAgentError} from './model/errors.js';
import {encodeReport, type MonitorReport} from './monitor/report.js';
import {keepUp} from './vm/keep-up.js';

const STDOUT = 1;

/** Whoever started us may have gone: that is no reason to end. */
const tell = (report: MonitorReport): void => {
  try {
    writeSync(STDOUT, encodeReport(report));
  } catch {
    // nobody listens
  }
};

/** Nobody listens any more: the descriptor must not be somebody else's pipe for as long as we live. */
const fallSilent = (): void => {
  closeSync(STDOUT);
  openSync('/dev/null', 'w');
};

const collectGarbage = (): void => void globalThis.gc?.();

/** What booting and large transfers took goes back to the system: little else here would ever fill the heap. */
const staySmall = (): void => {
  for (const afterMs of [1_500, 6_000]) setTimeout(collectGarbage, afterMs).unref();
  setInterval(collectGarbage, 60_000).unref();
};

const asked = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => asked.abort());

const run = async (id: string): Promise<void> => {
  const context = createContext({
    env: process.env,
    signal: asked.signal,
    notice: (text) => console.error(text),
    progress: {
      step: (text) => tell({kind: 'step', text}),
      detail: (text) => tell({kind: 'detail', text}),
    },
  });
  let isUp = false;
  try {
    await keepUp(context, id, () => {
      isUp = true;
      tell({kind: 'up'});
      fallSilent();
      staySmall();
    });
  } catch (thrown) {
    const error = toAgentError(thrown);
    if (!isUp) tell({kind: 'failed', error});
    else throw error;
  }
};

await run(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
process.exit();
