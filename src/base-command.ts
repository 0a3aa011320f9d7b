/** What every command shares: global flags, log lines, progress, interruption, errors and exit codes. */
import {Command} from '@oclif/core/command';
import type * as Interfaces from '@oclif/core/interfaces';
import {createContext} from './context.js';
import {globalFlags} from './flags/global-flags.js';
import {interruption} from './interruption.js';
import type {AgentError} from './model/errors.js';
import {ExitCode, exitCodeOf} from './model/exit-code.js';
import {errorEvent, toPrettyError} from './render/error.js';
import {type LogEvent, toJsonLine} from './render/log-event.js';
import {checkLogFile} from './render/log-file.js';
import {createLogger, type Logger, type OutputStream} from './render/logger.js';
import {eventProgress, type LiveProgress, lineProgress, terminalProgress} from './render/progress.js';
import {requestedFormat} from './render/requested-format.js';
import {explainThrown} from './usage-errors.js';
import type {VmContext} from './vm/vm-context.js';

type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<
  (typeof BaseCommand)['baseFlags'] & T['flags']
>;
type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

type Parsed<T extends typeof Command> = Pick<Started<T>, 'flags' | 'args'> & {readonly argv: string[]};

interface Started<T extends typeof Command> {
  readonly flags: FlagsOf<T>;
  readonly args: ArgsOf<T>;
  /** What is no flag, for commands that take any number of arguments. */
  readonly words: readonly string[];
  readonly context: VmContext;
}

/** `run` returns the exit code. */
export abstract class BaseCommand extends Command {
  static override baseFlags = globalFlags;

  /** The exit code of failures that are ours; `run`, `exec`, `temp` say 125, so that the guest's 1 stays the guest's. */
  protected readonly failureCode: number = ExitCode.failed;
  private logger: Logger = createLogger({format: requestedFormat(this.argv), level: 'info', file: null});
  private progress: LiveProgress | undefined;

  abstract override run(): Promise<number>;

  /** Parses the command line, then builds what the services need. */
  protected async start<T extends typeof Command>(command: T): Promise<Started<T>> {
    // oclif warns of commands that have not parsed, where NODE_ENV is development; a bad flag is none of those.
    this.parsed = true;
    const {flags, args, argv} = (await this.parse(command as never)) as unknown as Parsed<T>;
    const file = flags['log-file'] || null;
    if (file !== null) checkLogFile(file);
    this.logger = createLogger({format: flags['log-format'], level: flags['log-level'], file});
    this.progress = this.makeProgress();
    const context = createContext({
      env: process.env,
      progress: this.progress,
      notice: (text) => this.warnOf(text),
      signal: interruption.listen(),
    });
    return {flags, args, words: argv, context};
  }

  private makeProgress(): LiveProgress {
    if (!this.logger.isPretty(process.stderr))
      return eventProgress((event) => this.tell(process.stderr, event));
    return process.stderr.isTTY ? terminalProgress(process.stderr) : lineProgress(process.stderr);
  }

  /** Writes a log line. */
  protected tell(stream: OutputStream, event: LogEvent): void {
    this.progress?.clear();
    this.logger.log(stream, event);
  }

  /** A failure told as an event of the command: one line for scripts, the error itself for people. */
  protected tellFailure(stream: OutputStream, event: LogEvent, error: AgentError): void {
    this.progress?.clear();
    if (error.code === 'BROKEN_PIPE') return;
    if (!this.logger.isPretty(stream)) this.logger.log(stream, event);
    else this.showError(error, event, stream === process.stdout ? process.stderr : stream);
  }

  private showError(error: AgentError, event: LogEvent, stream: OutputStream = process.stderr): void {
    stream.write(toPrettyError(error, stream));
    this.logger.keep(event);
  }

  /** Writes an event as JSON whatever the log format: the data that `--json` asks for. */
  protected tellJson(event: LogEvent): void {
    this.progress?.clear();
    process.stdout.write(toJsonLine(event, new Date()));
    this.logger.keep(event);
  }

  /** Data for people or scripts: a table, a list of ids, JSON. */
  protected show(text: string): void {
    this.progress?.clear();
    process.stdout.write(text);
  }

  /** What went well, but not quite as one might think. */
  protected warnOf(text: string): void {
    this.tell(process.stderr, {level: 'warn', message: text, fields: {}});
  }

  /** What a person may want to type next; scripts are not told. */
  protected suggest(...commands: readonly string[]): void {
    if (!this.logger.isPretty(process.stdout) || !process.stderr.isTTY) return;
    process.stderr.write(`next:\n${commands.map((command) => `  ${command}\n`).join('')}`);
  }

  /** The exit code, unless a signal has ended the work. */
  protected codeFor(exitCode: number): number {
    return interruption.exitCode() ?? exitCode;
  }

  protected override async catch(thrown: Error): Promise<void> {
    const error = explainThrown(thrown, this.id);
    this.progress?.clear();
    process.exitCode = interruption.exitCode() ?? exitCodeOf(error.code, this.failureCode);
    if (error.code === 'BROKEN_PIPE') return;
    if (this.logger.isPretty(process.stderr)) this.showError(error, errorEvent(error));
    else this.logger.log(process.stderr, errorEvent(error));
  }

  protected override async finally(): Promise<void> {
    this.progress?.clear();
  }
}
