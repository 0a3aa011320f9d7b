import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {parseLabels} from '../../flags/key-value.js';
import {selectionFlags} from '../../flags/vm-flags.js';
import {ExitCode} from '../../model/exit-code.js';
import {cleanedEvent, endErrorEvent} from '../../render/vm-events.js';
import {cleanVms} from '../../vm/end-vms.js';

export default class VmClean extends BaseCommand {
  static override summary = 'Remove VMs with all their files.';
  static override description =
    'Stops them first. What is gone already is success. Each VM is tried; each gets one log line.';
  static override examples = [
    {
      description: 'One VM, but not what it kept in /persist:',
      command: '<%= config.bin %> vm clean --vm builder --keep-persist',
    },
    {description: 'Everything:', command: '<%= config.bin %> vm clean --all'},
  ];
  static override flags = {
    ...selectionFlags,
    'keep-persist': Flags.boolean({default: false, summary: 'keep the disks behind /persist'}),
  };

  async run(): Promise<number> {
    const {flags, context} = await this.start(VmClean);
    const keepPersist = flags['keep-persist'];
    const selection = {vms: flags.vm ?? [], all: flags.all, labels: parseLabels(flags.label)};
    const results = await cleanVms(context, {selection, keepPersist}, ({vm, error}) => {
      if (error) this.tellFailure(process.stdout, endErrorEvent('clean', vm, error), error);
      else this.tell(process.stdout, cleanedEvent(vm, keepPersist));
    });
    return this.codeFor(results.some(({error}) => error) ? ExitCode.failed : ExitCode.ok);
  }
}
