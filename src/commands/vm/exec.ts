import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {parseEnv, parseLabels} from '../../flags/key-value.js';
import {jsonFlag, programFlags, runFlags, selectionFlags} from '../../flags/vm-flags.js';
import {ExitCode, firstFailure} from '../../model/exit-code.js';
import {createGuestOutput, type GuestOutput} from '../../render/guest-output.js';
import {runErrorEvent, runEvent} from '../../render/vm-events.js';
import {execVms, type RunResult, selectForExec} from '../../vm/exec-vms.js';
import {chooseProgram} from '../../vm/program.js';

export default class VmExec extends BaseCommand {
  static override summary = 'Run a command in one or several VMs and see its output as it comes.';
  static override description =
    'Standard output and error are the guest’s, byte for byte; with several VMs each line starts with the VM. ' +
    'Standard input goes to a single VM, unless it is a terminal: see vm shell. The exit code is the command’s own; over several VMs the first that is not 0.';
  static override examples = [
    {
      description: 'Run source code in a VM called builder:',
      command: `<%= config.bin %> vm exec --vm builder --code "console.log(process.version)"`,
    },
    {
      description: 'Pipe a file through a command:',
      command: '<%= config.bin %> vm exec --vm builder --cmd "sort -u" < README.md',
    },
    {
      description: 'Say hello from all of them at once:',
      command: '<%= config.bin %> vm exec --all --hello --parallel 4',
    },
  ];
  static override flags = {
    ...selectionFlags,
    ...programFlags,
    ...runFlags,
    parallel: Flags.integer({summary: 'VMs at work at the same time', default: 4, min: 1, max: 256}),
    ...jsonFlag,
  };

  protected override readonly failureCode = ExitCode.agentFailed;

  async run(): Promise<number> {
    const {flags, context} = await this.start(VmExec);
    const {cmd, code, hello, file: files = [], parallel, timeout: timeoutMs} = flags;
    const request = {
      program: chooseProgram({cmd, code, hello, files}),
      files,
      env: parseEnv(flags.env, context.env),
      timeoutMs,
      maxOutputBytes: flags['max-output'],
      parallel,
    };
    const records = selectForExec(context, {
      vms: flags.vm ?? [],
      all: flags.all,
      labels: parseLabels(flags.label),
    });
    const output = createGuestOutput({
      isJson: flags.json,
      isShared: records.length > 1,
      atOnce: Math.min(parallel, records.length),
    });
    const results = await execVms(context, {
      records,
      request,
      openIo: (record) => output.open(record.id),
      onResult: (result) => this.report(result, output),
    });
    return this.codeFor(firstFailure(results.map(({exitCode}) => exitCode)));
  }

  private async report(result: RunResult, output: GuestOutput): Promise<void> {
    const event = result.report
      ? runEvent('vm exec', result.report)
      : runErrorEvent('vm exec', {...result, exitCode: this.codeFor(result.exitCode)});
    const captured = await output.close(result.record.id);
    if (captured) this.tellJson({...event, fields: {...event.fields, ...captured}});
    else if (result.report) this.tell(output.log, event);
    else this.tellFailure(output.log, event, result.error);
  }
}
