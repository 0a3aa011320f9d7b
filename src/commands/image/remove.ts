import * as Args from '@oclif/core/args';
import {BaseCommand} from '../../base-command.js';
import {removeImage} from '../../vm/remove-image.js';

export default class ImageRemove extends BaseCommand {
  static override summary = 'Remove an image that no VM uses.';
  static override examples = [
    {description: 'By reference:', command: '<%= config.bin %> image remove docker.io/library/alpine:3.20'},
    {
      description: 'By the start of its digest, with all its names:',
      command: '<%= config.bin %> image remove 4f2c9e01',
    },
  ];
  static override args = {
    reference: Args.string({
      description: 'reference, or start of a digest',
      required: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<number> {
    const {args, context} = await this.start(ImageRemove);
    const {untagged, deletedDigest} = await removeImage(context, args.reference, (text) => this.warnOf(text));
    const fields = {untagged, deleted_digest: deletedDigest};
    this.tell(process.stdout, {level: 'info', message: 'image removed', fields});
    return 0;
  }
}
