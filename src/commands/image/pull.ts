import * as Args from '@oclif/core/args';
import {BaseCommand} from '../../base-command.js';
import {languageFlag} from '../../flags/vm-flags.js';
import {imageToJson} from '../../render/image-table.js';

export default class ImagePull extends BaseCommand {
  static override summary = 'Fetch an image and make it ready for VMs.';
  static override description =
    'Takes an OCI reference, or oci:FOLDER, oci-archive:FILE and docker-archive:FILE on this machine. ' +
    'VMs that exist keep the image they were made with.';
  static override examples = [
    {
      description: 'An image from a registry:',
      command: '<%= config.bin %> image pull docker.io/library/alpine:3.20',
    },
    {description: 'A language’s own image:', command: '<%= config.bin %> image pull --language python'},
  ];
  static override args = {reference: Args.string({description: 'the image', ignoreStdin: true})};
  static override flags = languageFlag;

  async run(): Promise<number> {
    const {flags, args, context} = await this.start(ImagePull);
    const {language} = flags;
    const reference = context.images.resolve({language, reference: args.reference});
    const image = await context.images.pull({
      reference,
      progress: context.progress,
      signal: context.signal,
      onWarning: (text) => this.warnOf(text),
    });
    this.tell(process.stdout, {
      level: 'info',
      message: 'image pulled',
      fields: {reference, ...imageToJson(image)},
    });
    return 0;
  }
}
