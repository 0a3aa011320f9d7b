/** Ctrl-C, SIGTERM and SIGHUP: the first asks the work to end, the second ends the process. */
import {setMaxListeners} from 'node:events';
import {constants} from 'node:os';
import {ExitCode} from './model/exit-code.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const createInterruption = () => {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // Node warns of more than ten, and each VM at work has some
  let received: (typeof signals)[number] | undefined;
  let listening = false;
  const exitCode = (): number | undefined => received && ExitCode.signalBase + constants.signals[received];
  const onSignal = (signal: (typeof signals)[number]): void => {
    // What is left behind then is reaped by the next command that writes.
    if (received) process.exit(exitCode());
    received = signal;
    controller.abort();
  };
  return {
    listen: (): AbortSignal => {
      if (!listening) for (const signal of signals) process.on(signal, () => onSignal(signal));
      listening = true;
      return controller.signal;
    },
    /** 128 + N once a signal has come. */
    exitCode,
  };
};

export const interruption = createInterruption();
