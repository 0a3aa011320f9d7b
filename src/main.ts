/** Starts the command line: finds the command, runs it, leaves with its exit code. */
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import '@oclif/core/command'; // its listener has to be there for watchOutput to remove it
import {Config} from '@oclif/core/config';
import type {PJSON} from '@oclif/core/interfaces';
import {run} from '@oclif/core/run';
import {settings} from '@oclif/core/settings';
import {outliveTerminal} from './gone-terminal.js';
import {ExitCode, exitCodeOf} from './model/exit-code.js';
import {errorEvent, toPrettyError} from './render/error.js';
import {createLogger} from './render/logger.js';
import {cannotWrite} from './render/output-sink.js';
import {requestedFormat} from './render/requested-format.js';
import {explainThrown, explainUnknown} from './usage-errors.js';

interface StartOptions {
  /** Where the commands are, if not where package.json says. */
  readonly commands?: string | undefined;
}

/** `executable` is the file URL of the one in bin/. */
export const start = async (executable: string, {commands}: StartOptions = {}): Promise<void> => {
  outliveTerminal();
  const output = watchOutput();
  try {
    const argv = process.argv.slice(2);
    const config = await loadConfig(dirname(dirname(fileURLToPath(executable))), {commands, argv});
    const result: unknown = await run(argv, config).catch((thrown) => {
      const unknown = unknownCommand(thrown);
      throw unknown ? explainUnknown(unknown, (id) => config.findCommand(id) !== undefined) : thrown;
    });
    process.exitCode ??= typeof result === 'number' ? result : ExitCode.ok;
  } catch (thrown) {
    process.exitCode = endWith(thrown);
  }
  await leave(output);
};

interface ConfigOptions extends StartOptions {
  readonly argv: readonly string[];
}

/** Reading what a plugin brings takes a tenth of a short command's time, so that is done for those only that are not ours. */
const loadConfig = async (root: string, {commands, argv}: ConfigOptions): Promise<Config> => {
  settings.enableAutoTranspile = false;
  const pjson: PJSON = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const oclif = {...pjson.oclif, ...(commands ? {commands} : {})};
  const load = (plugins: string[]): Promise<Config> =>
    Config.load({root, pjson: {...pjson, oclif: {...oclif, plugins}}, userPlugins: false, devPlugins: false});
  const ours = await load([]);
  const [first = '--help'] = argv;
  const isOurs = first === '--version' || ours.findTopic(first) || ours.findCommand(first);
  return isOurs ? ours : await load(pjson.oclif.plugins ?? []);
};

const unknownCommand = (thrown: unknown): string | undefined =>
  thrown instanceof Error ? /^command (\S*) not found$/.exec(thrown.message)?.[1] : undefined;

interface Output {
  /** What standard output was refused with, unless it is that nobody reads it. */
  readonly failure: () => Error | undefined;
}

/** What a write is refused with is told to whoever waits for that write; without a listener it would end the process. */
const watchOutput = (): Output => {
  let failure: Error | undefined;
  process.stdout.removeAllListeners('error'); // oclif's, which throws
  process.stdout.on('error', (error) => {
    if (!('code' in error && error.code === 'EPIPE')) failure ??= error;
  });
  process.stderr.on('error', () => {});
  return {failure: () => failure};
};

const endWith = (thrown: unknown): number => {
  if (isExit(thrown)) return thrown.oclif.exit;
  const error = explainThrown(thrown, undefined);
  const logger = createLogger({format: requestedFormat(process.argv), level: 'info', file: null});
  if (logger.isPretty(process.stderr)) process.stderr.write(toPrettyError(error, process.stderr));
  else logger.log(process.stderr, errorEvent(error));
  return exitCodeOf(error.code, ExitCode.failed);
};

// How oclif ends after --help and --version.
const isExit = (thrown: unknown): thrown is {readonly oclif: {readonly exit: number}} =>
  thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIT' && 'oclif' in thrown;

const STUCK_READER_MS = 3_000;

/** A reader that is slow gets all of it; one that made the command time out, or outlived its VM, gets no further time. */
const leave = async (output: Output): Promise<void> => {
  const flushed = Promise.all([process.stdout, process.stderr].map(flush));
  const code = Number(process.exitCode);
  const isLate = code === ExitCode.timeout || code === ExitCode.agentFailed || code > ExitCode.signalBase;
  if (isLate) setTimeout(() => process.exit(), STUCK_READER_MS);
  await flushed;
  const failure = output.failure();
  if (failure && process.exitCode === ExitCode.ok) process.exitCode = endWith(cannotWrite(failure));
  // A standard input that stays open, or the TypeScript compiler's idle helper, must not keep us.
  process.exit();
};

const flush = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
