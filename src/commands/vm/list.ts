import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {parseLabels} from '../../flags/key-value.js';
import {jsonFlag} from '../../flags/vm-flags.js';
import {shownStatuses} from '../../model/vm-record.js';
import {vmToJson} from '../../render/vm-json.js';
import {renderVmTable} from '../../render/vm-table.js';
import {type VmList as Listed, listVms} from '../../vm/list-vms.js';

export default class VmList extends BaseCommand {
  static override summary = 'List the VMs.';
  static override description = 'Stopped ones only with --all. Changes nothing.';
  static override examples = [
    {description: 'What there is:', command: '<%= config.bin %> vm list --all'},
    {
      description: 'Ids of the VMs with a label, for a script:',
      command: '<%= config.bin %> vm list -q --label team=web',
    },
  ];
  static override flags = {
    all: Flags.boolean({default: false, char: 'a', summary: 'the stopped ones too'}),
    status: Flags.option({options: shownStatuses})({summary: 'only VMs with this status'}),
    label: Flags.string({
      summary: 'only VMs with this label, key=value',
      multiple: true,
      multipleNonGreedy: true,
    }),
    quiet: Flags.boolean({default: false, char: 'q', summary: 'ids only'}),
    ...jsonFlag,
  };

  async run(): Promise<number> {
    const {flags, context} = await this.start(VmList);
    const labels = parseLabels(flags.label);
    const list = await listVms(context, {status: flags.status ?? null, all: flags.all, labels});
    for (const {id, reason} of list.broken) {
      this.tell(process.stderr, {
        level: 'warn',
        message: 'vm record cannot be read',
        fields: {vm: id, error: reason},
      });
    }
    this.show(this.draw(list, flags));
    return 0;
  }

  private draw({vms}: Listed, {json, quiet}: {readonly json: boolean; readonly quiet: boolean}): string {
    if (json) return `${JSON.stringify(vms.map(vmToJson), null, 2)}\n`;
    if (quiet) return vms.map(({record}) => `${record.id}\n`).join('');
    return renderVmTable(process.stdout, vms);
  }
}
