import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {toCreateOptions} from '../../flags/create-options.js';
import {readSource} from '../../flags/stdin-source.js';
import {createFlags, jsonFlag, launcherFlag, programFlags, runFlags} from '../../flags/vm-flags.js';
import {ExitCode, exitCodeOf} from '../../model/exit-code.js';
import {createGuestOutput, type GuestOutput} from '../../render/guest-output.js';
import type {LogEvent} from '../../render/log-event.js';
import {runErrorEvent, runEvent, tempCleanedEvent, tempCreatedEvent} from '../../render/vm-events.js';
import {chooseProgram} from '../../vm/program.js';
import {type TempEvents, tempVm} from '../../vm/temp-vm.js';

export default class VmTemp extends BaseCommand {
  static override summary = 'Run something in a VM of its own, which is gone afterwards.';
  static override description =
    'Create, run and clean in one. Standard output and error are the guest’s, byte for byte; the exit code is the ' +
    'command’s own. Files that it leaves in /out come to the folder that --out names.';
  static override examples = [
    {
      description: 'Try a line of Python:',
      command: `<%= config.bin %> vm temp --language python --cmd "print('Hello, World!')"`,
    },
    {
      description: 'Run a program from a file:',
      command: '<%= config.bin %> vm temp --language python --file main.py',
    },
    {
      description: 'Run a program from standard input:',
      command: '<%= config.bin %> vm temp --language python - < main.py',
    },
    {
      description: 'Run a shell command with more memory, and bring its results back:',
      command:
        '<%= config.bin %> vm temp --language node --mem 512 --cmd "node --version > /out/version.txt" --out results',
    },
  ];
  static override args = {
    source: Args.string({description: '- to read source code from standard input', ignoreStdin: true}),
  };
  static override flags = {
    ...createFlags,
    ...launcherFlag,
    ...programFlags,
    ...runFlags,
    out: Flags.string({
      summary: 'new or empty folder of this machine that receives /out',
    }),
    ...jsonFlag,
  };

  protected override readonly failureCode = ExitCode.agentFailed;

  async run(): Promise<number> {
    const {flags, args, context} = await this.start(VmTemp);
    const {cmd, code, hello, file: files = []} = flags;
    const create = toCreateOptions(flags, context.env);
    const stdinSource = await readSource(args.source);
    const program = chooseProgram({cmd, code, hello, stdinSource, files})(create.language);
    const run = {program, files, env: [], timeoutMs: flags.timeout, maxOutputBytes: flags['max-output']};
    const output = createGuestOutput({
      isJson: flags.json,
      isShared: false,
      isStdinTaken: stdinSource !== undefined,
    });
    const io = output.open('');
    const result = await tempVm(
      context,
      {create, run, outFolder: flags.out ?? null},
      {io, events: this.events(output)},
    );
    return this.codeFor('exitCode' in result ? result.exitCode : exitCodeOf(result.code, this.failureCode));
  }

  private events(output: GuestOutput): TempEvents {
    const finish = async (event: LogEvent, otherwise: () => void): Promise<void> => {
      const captured = await output.close('');
      if (captured) this.tellJson({...event, fields: {...event.fields, ...captured}});
      else otherwise();
    };
    const verb = 'temporary vm execution';
    return {
      created: (record) => this.tell(output.log, tempCreatedEvent(record)),
      completed: (_record, report) => {
        const event = runEvent(verb, report);
        return finish(event, () => this.tell(output.log, event));
      },
      failed: (record, error) => {
        const event = runErrorEvent(verb, {
          record,
          error,
          exitCode: this.codeFor(exitCodeOf(error.code, this.failureCode)),
        });
        return finish(event, () => this.tellFailure(output.log, event, error));
      },
      cleaned: (record) => this.tell(output.log, tempCleanedEvent(record)),
    };
  }
}
