import * as Args from '@oclif/core/args';
import {BaseCommand} from '../../base-command.js';
import {ExitCode} from '../../model/exit-code.js';
import {volumeErrorEvent, volumeRemovedEvent} from '../../render/volume-events.js';
import {removeVolumes} from '../../vm/volumes-manage.js';

export default class VolumeRemove extends BaseCommand {
  static override summary = 'Remove volumes that no VM has, with all that is in them.';
  static override description = 'What is gone already is success. Each is tried; each gets one log line.';
  static override examples = [
    {description: 'One volume:', command: '<%= config.bin %> volume remove data'},
    {description: 'Several:', command: '<%= config.bin %> volume remove data builder'},
  ];
  static override strict = false;
  static override args = {
    name: Args.string({description: 'name of a volume; may be several', required: true, ignoreStdin: true}),
  };

  async run(): Promise<number> {
    const {words, context} = await this.start(VolumeRemove);
    const results = await removeVolumes(context, words, ({name, isGone, error}) => {
      if (error) this.tellFailure(process.stdout, volumeErrorEvent(name, error), error);
      else this.tell(process.stdout, volumeRemovedEvent(name, isGone));
    });
    return this.codeFor(results.some(({error}) => error) ? ExitCode.failed : ExitCode.ok);
  }
}
