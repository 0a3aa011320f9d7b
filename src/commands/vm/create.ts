import {BaseCommand} from '../../base-command.js';
import {toCreateOptions} from '../../flags/create-options.js';
import {createFlags, envFlag, launcherFlag, nameFlag} from '../../flags/vm-flags.js';
import {createdEvent} from '../../render/vm-events.js';
import {createVm} from '../../vm/create-vm.js';

export default class VmCreate extends BaseCommand {
  static override summary = 'Create a VM that is ready to run commands.';
  static override description =
    'The image is fetched if it is not here yet; the VM boots when a command needs it. Standard output gets one log line.';
  static override examples = [
    {
      description: 'A Python VM without any network:',
      command: '<%= config.bin %> vm create --language python',
    },
    {
      description: 'A larger one with a name and a disk that outlives it:',
      command:
        '<%= config.bin %> vm create --language node --name builder --cpu 2 --mem 1G --persist --label team=web',
    },
  ];
  static override flags = {...createFlags, ...nameFlag, ...envFlag, ...launcherFlag};

  async run(): Promise<number> {
    const {flags, context} = await this.start(VmCreate);
    const {record} = await createVm(context, toCreateOptions(flags, context.env));
    this.tell(process.stdout, createdEvent(record));
    this.suggest(`agent vm exec --vm ${record.id} --hello`, `agent vm clean --vm ${record.id}`);
    return 0;
  }
}
