import {BaseCommand} from '../../base-command.js';
import {jsonFlag} from '../../flags/vm-flags.js';
import {renderVolumeTable, volumeToJson} from '../../render/volume-table.js';
import {listVolumes} from '../../vm/volumes-manage.js';

export default class VolumeList extends BaseCommand {
  static override summary = 'List the volumes behind /persist, with the VMs that have them.';
  static override description = 'The size is what they take on this machine. Changes nothing.';
  static override examples = [
    {description: 'As a table:', command: '<%= config.bin %> volume list'},
    {
      description: 'Those that no VM has, for a script:',
      command: "<%= config.bin %> volume list --json | jq -r '.[] | select(.used_by == null) | .name'",
    },
  ];
  static override flags = jsonFlag;

  async run(): Promise<number> {
    const {flags, context} = await this.start(VolumeList);
    const volumes = await listVolumes(context);
    const rows = volumes.map(volumeToJson);
    this.show(flags.json ? `${JSON.stringify(rows, null, 2)}\n` : renderVolumeTable(process.stdout, volumes));
    return 0;
  }
}
