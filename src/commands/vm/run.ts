import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {parseEnv} from '../../flags/key-value.js';
import {runFlags} from '../../flags/vm-flags.js';
import {ExitCode} from '../../model/exit-code.js';
import {runErrorEvent, runEvent} from '../../render/vm-events.js';
import {execVms, type RunResult, selectForExec} from '../../vm/exec-vms.js';
import {chooseProgram} from '../../vm/program.js';

export default class VmRun extends BaseCommand {
  static override summary = 'Run one command in a VM and keep its output in files.';
  static override description =
    'Standard output gets one log line that names the files. The exit code is the command’s own.';
  static override examples = [
    {
      description: 'Run a command in a VM called builder:',
      command: '<%= config.bin %> vm run --vm builder --cmd "uname -a"',
    },
    {
      description: 'Put a file into /in first, and give it five minutes:',
      command:
        '<%= config.bin %> vm run --vm builder --cmd "wc -l /in/README.md" --file README.md --timeout 5m',
    },
  ];
  static override flags = {
    vm: Flags.string({summary: 'id, unambiguous start of an id, or name', required: true}),
    cmd: Flags.string({
      char: 'c',
      summary: 'shell command; source in the VM’s language where no shell can parse it',
      required: true,
    }),
    ...runFlags,
  };

  protected override readonly failureCode = ExitCode.agentFailed;

  async run(): Promise<number> {
    const {flags, context} = await this.start(VmRun);
    const request = {
      program: chooseProgram({cmd: flags.cmd, files: flags.file ?? []}),
      files: flags.file ?? [],
      env: parseEnv(flags.env, context.env),
      timeoutMs: flags.timeout,
      maxOutputBytes: flags['max-output'],
      parallel: 1,
    };
    const [result] = await execVms(context, {
      records: selectForExec(context, {vms: [flags.vm], all: false, labels: {}}),
      request,
      openIo: () => ({stdin: null, stdout: [], stderr: []}),
      onResult: (one) => this.report(one),
    });
    return this.codeFor(result?.exitCode ?? ExitCode.agentFailed);
  }

  private report(result: RunResult): void {
    if (result.report) this.tell(process.stdout, runEvent('vm run', result.report));
    else
      this.tellFailure(
        process.stdout,
        runErrorEvent('vm run', {...result, exitCode: this.codeFor(result.exitCode)}),
        result.error,
      );
  }
}
