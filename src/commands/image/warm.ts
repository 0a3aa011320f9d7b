import * as Args from '@oclif/core/args';
import {BaseCommand} from '../../base-command.js';
import {createFlags, jsonFlag, launcherFlag} from '../../flags/vm-flags.js';
import {warmedEvent} from '../../render/template-events.js';
import {warmImage} from '../../vm/warm-image.js';

const {cpu, mem, network} = createFlags;

export default class ImageWarm extends BaseCommand {
  static override summary = 'Boot an image once and save the VM, so that later ones start from there.';
  static override description =
    'They do where they have the same CPUs, memory and network. What is there already and whole is kept. ' +
    'Without this the first VM that boots has it done in the background.';
  static override examples = [
    {
      description: 'For vm temp and vm create as they are without flags:',
      command: '<%= config.bin %> image warm python',
    },
    {
      description: 'For larger VMs of an image of yours:',
      command: '<%= config.bin %> image warm localhost/hello --cpu 2 --mem 512M --network allow_all',
    },
  ];
  static override args = {
    image: Args.string({
      description: 'a language, a reference, or the start of a digest',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {cpu, mem, network, ...launcherFlag, ...jsonFlag};

  async run(): Promise<number> {
    const {flags, args, context} = await this.start(ImageWarm);
    const {launcher, cpu: cpus, mem: memoryMib, network: mode} = flags;
    const wanted = {wanted: args.image, launcher, cpus, memoryMib, network: mode};
    const event = warmedEvent(await warmImage(context, wanted));
    if (flags.json) this.tellJson(event);
    else this.tell(process.stdout, event);
    return 0;
  }
}
