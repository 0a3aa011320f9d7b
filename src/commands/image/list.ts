import {BaseCommand} from '../../base-command.js';
import {jsonFlag} from '../../flags/vm-flags.js';
import {imageRowToJson, renderImageTable} from '../../render/image-table.js';
import {listImages} from '../../vm/list-images.js';

export default class ImageList extends BaseCommand {
  static override summary = 'List the guest images, and what VMs start warm from.';
  static override examples = [
    {description: 'As a table:', command: '<%= config.bin %> image list'},
    {
      description: 'Their sizes, for a script:',
      command: "<%= config.bin %> image list --json | jq '.[].size_bytes'",
    },
  ];
  static override flags = jsonFlag;

  async run(): Promise<number> {
    const {flags, context} = await this.start(ImageList);
    const {images, broken} = await listImages(context);
    for (const {digest, problem} of broken) {
      this.tell(process.stderr, {
        level: 'warn',
        message: 'image is damaged',
        fields: {digest, error: problem},
      });
    }
    const json = (): string => `${JSON.stringify(images.map(imageRowToJson), null, 2)}\n`;
    this.show(flags.json ? json() : renderImageTable(process.stdout, images));
    return 0;
  }
}
