import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {usageError} from '../../model/errors.js';
import {vmToJson} from '../../render/vm-json.js';
import {inspectVm} from '../../vm/list-vms.js';

export default class VmInspect extends BaseCommand {
  static override summary = 'Show everything that is known about a VM, as JSON.';
  static override examples = [
    {description: 'By name:', command: '<%= config.bin %> vm inspect builder'},
    {description: 'Its status alone:', command: '<%= config.bin %> vm inspect --vm builder | jq -r .status'},
  ];
  static override args = {
    vm: Args.string({description: 'id, unambiguous start of an id, or name', ignoreStdin: true}),
  };
  static override flags = {vm: Flags.string({summary: 'the same as a flag'})};

  async run(): Promise<number> {
    const {flags, args, context} = await this.start(VmInspect);
    const wanted = args.vm ?? flags.vm;
    if (wanted === undefined) throw usageError('No VM was named.', 'for example: agent vm inspect ID');
    this.show(`${JSON.stringify(vmToJson(await inspectVm(context, wanted)), null, 2)}\n`);
    return 0;
  }
}
