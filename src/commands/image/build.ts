import {dirname} from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {usageError} from '../../model/errors.js';
import type {GuestImage} from '../../model/guest-image.js';
import {languageOf, parseLanguage} from '../../model/language.js';
import {imageToJson} from '../../render/image-table.js';
import type {VmContext} from '../../vm/vm-context.js';

export default class ImageBuild extends BaseCommand {
  static override summary =
    'Build an image: a language’s from Debian’s packages, or your own from a Containerfile.';
  static override description =
    'A language’s image that was built here is that language’s default from then on; no registry is needed for it.';
  static override examples = [
    {
      description: 'Python, from the packages of the distribution:',
      command: '<%= config.bin %> image build python',
    },
    {
      description: 'Your own, for use with --image localhost/hello:',
      command: '<%= config.bin %> image build --file scripts/images/python-hello/Containerfile --tag hello',
    },
  ];
  static override args = {
    language: Args.string({description: 'python, node, ruby or golang', ignoreStdin: true}),
  };
  static override flags = {
    file: Flags.string({char: 'f', summary: 'the Containerfile', dependsOn: ['tag']}),
    tag: Flags.string({
      char: 't',
      summary: 'name of the image that the Containerfile makes',
      dependsOn: ['file'],
    }),
    context: Flags.string({
      summary: 'folder that COPY reads from; the Containerfile’s own without it',
      dependsOn: ['file'],
    }),
    'build-arg': Flags.string({
      summary: 'NAME=value for an ARG of the Containerfile',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['file'],
    }),
  };

  async run(): Promise<number> {
    const {flags, args, context} = await this.start(ImageBuild);
    const {file, tag} = flags;
    if ((args.language === undefined) === (file === undefined)) {
      throw usageError(
        'Give either a language or a Containerfile.',
        'agent image build python',
        'agent image build --file Containerfile --tag NAME',
      );
    }
    const image = await (file !== undefined && tag !== undefined
      ? context.images.buildContainerfile({
          ...this.work(context),
          file,
          tag,
          context: flags.context ?? dirname(file),
          buildArgs: flags['build-arg'] ?? [],
        })
      : this.buildLanguage(context, args.language ?? ''));
    this.tell(process.stdout, {level: 'info', message: 'image built', fields: imageToJson(image)});
    return 0;
  }

  private buildLanguage(context: VmContext, name: string): Promise<GuestImage> {
    const language = languageOf(parseLanguage(name)).image;
    return context.images.buildLanguage({...this.work(context), language});
  }

  private work({progress, signal}: VmContext) {
    return {progress, signal, onWarning: (text: string) => this.warnOf(text)};
  }
}
