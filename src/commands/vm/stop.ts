import {BaseCommand} from '../../base-command.js';
import {parseLabels} from '../../flags/key-value.js';
import {selectionFlags} from '../../flags/vm-flags.js';
import {ExitCode} from '../../model/exit-code.js';
import {endErrorEvent, stoppedEvent} from '../../render/vm-events.js';
import {stopVms} from '../../vm/end-vms.js';

export default class VmStop extends BaseCommand {
  static override summary = 'Stop VMs; their files stay, and the next command boots them again.';
  static override description =
    'Asks the guest to end, then ends it at the deadline. Each VM is tried; each gets one log line.';
  static override examples = [
    {description: 'One VM:', command: '<%= config.bin %> vm stop --vm builder'},
    {description: 'All of them:', command: '<%= config.bin %> vm stop --all'},
  ];
  static override flags = selectionFlags;

  async run(): Promise<number> {
    const {flags, context} = await this.start(VmStop);
    const selection = {vms: flags.vm ?? [], all: flags.all, labels: parseLabels(flags.label)};
    const results = await stopVms(context, selection, ({vm, error}) => {
      if (error) this.tellFailure(process.stdout, endErrorEvent('stop', vm, error), error);
      else this.tell(process.stdout, stoppedEvent(vm));
    });
    return this.codeFor(results.some(({error}) => error) ? ExitCode.failed : ExitCode.ok);
  }
}
