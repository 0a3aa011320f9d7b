import {BaseCommand} from '../../base-command.js';
import {jsonFlag} from '../../flags/vm-flags.js';
import {imageToJson, renderImageTable} from '../../render/image-table.js';

export default class ImageList extends BaseCommand {
  static override summary = 'List the guest images.';
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
    const {images, broken} = context.images.list();
    for (const {digest, problem} of broken) {
      this.tell(process.stderr, {
        level: 'warn',
        message: 'image is damaged',
        fields: {digest, error: problem},
      });
    }
    const rows = images.map((image) => ({...imageToJson(image), default_for: image.defaultFor}));
    this.show(flags.json ? `${JSON.stringify(rows, null, 2)}\n` : renderImageTable(process.stdout, images));
    return 0;
  }
}
