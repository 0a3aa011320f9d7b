import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {usageError} from '../../model/errors.js';
import {consoleSink} from '../../render/console-sink.js';
import {streamSink} from '../../render/output-sink.js';
import {renderRunTable, runToJson} from '../../render/run-table.js';
import type {VmContext} from '../../vm/vm-context.js';
import {listRuns, showConsole, showRun} from '../../vm/vm-logs.js';

export default class VmLogs extends BaseCommand {
  static override summary = 'Show what commands in a VM have said: the last one, or any that is kept.';
  static override description =
    'Standard output and error come to where the command’s own went, byte for byte. The newest 100 runs of a VM are ' +
    'kept, up to 1 GiB. Changes nothing.';
  static override examples = [
    {
      description: 'What the command that runs in a VM called builder says, until it ends:',
      command: '<%= config.bin %> vm logs --vm builder --follow',
    },
    {description: 'What it ran before:', command: '<%= config.bin %> vm logs --vm builder --list'},
    {
      description: 'The last words of its kernel:',
      command: '<%= config.bin %> vm logs --vm builder --console --tail 20',
    },
  ];
  static override flags = {
    vm: Flags.string({summary: 'id, unambiguous start of an id, or name', required: true}),
    run: Flags.string({summary: 'id of a run, or its start; without it the last one'}),
    list: Flags.boolean({default: false, summary: 'the runs that are kept, instead of their output'}),
    console: Flags.boolean({
      default: false,
      summary: 'what the guest’s kernel says, instead; what is not printable comes as an escape',
    }),
    follow: Flags.boolean({
      default: false,
      char: 'f',
      summary: 'go on until the run has ended, or with --console the VM',
    }),
    tail: Flags.integer({summary: 'only the last lines of each stream', min: 0}),
    json: Flags.boolean({default: false, summary: 'write the list as JSON'}),
  };

  async run(): Promise<number> {
    const {flags, context} = await this.start(VmLogs);
    const {vm, run = null, follow, tail = null} = flags;
    refuseMixed(flags);
    if (flags.list) await this.list(context, flags);
    else if (flags.console) {
      await showConsole(context, {vm, follow, tail, output: consoleSink(streamSink(process.stdout))});
    } else {
      const sinks = {stdout: streamSink(process.stdout), stderr: streamSink(process.stderr)};
      const shown = await showRun(context, {vm, run, follow, tail, ...sinks});
      if (!shown) this.warnOf(`VM '${vm}' has run nothing yet`);
    }
    return this.codeFor(0);
  }

  private async list(context: VmContext, {vm, json}: {vm: string; json: boolean}): Promise<void> {
    const runs = await listRuns(context, vm);
    this.show(
      json ? `${JSON.stringify(runs.map(runToJson), null, 2)}\n` : renderRunTable(process.stdout, runs),
    );
  }
}

interface LogFlags {
  readonly list: boolean;
  readonly console: boolean;
  readonly follow: boolean;
  readonly json: boolean;
  readonly run?: string | undefined;
  readonly tail?: number | undefined;
}

// Not by oclif's own relations: to those, a flag that is false by default has been given.
const refuseMixed = ({list, console, follow, json, run, tail}: LogFlags): void => {
  if (json && !list) throw usageError('--json goes with --list only.', 'a run’s output is shown as it is');
  if (console && run !== undefined) throw usageError('--console is that of the VM, not of a --run.');
  if (list && (console || follow || run !== undefined || tail !== undefined)) {
    throw usageError(
      '--list does not go together with --run, --console, --follow or --tail.',
      'use one of them',
    );
  }
};
