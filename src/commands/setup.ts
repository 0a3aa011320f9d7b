import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../base-command.js';
import {jsonFlag, languageFlag} from '../flags/vm-flags.js';
import {type LanguageName, parseLanguage} from '../model/language.js';
import {createSetupTools} from '../setup/create-setup-tools.js';
import {describeSetup} from '../setup/describe-setup.js';
import {setUp} from '../setup/set-up.js';

export default class Setup extends BaseCommand {
  static override summary = 'Install what this machine lacks to run VMs, then boot one as proof.';
  static override description =
    'System packages are named before they are installed, as root or through sudo. A guest kernel is downloaded, ' +
    'and an image for each language is pulled, or built where no registry answers. What is there already is kept.';
  static override examples = [
    {description: 'See what is missing:', command: '<%= config.bin %> setup --dry-run'},
    {
      description: 'Prepare for two languages, without questions:',
      command: '<%= config.bin %> setup --language python --language node --yes',
    },
  ];
  static override flags = {
    language: Flags.custom<LanguageName>({parse: async (input) => parseLanguage(input)})({
      char: 'l',
      summary: `${languageFlag.language.summary}; may be repeated`,
      multiple: true,
      multipleNonGreedy: true,
      default: async (): Promise<LanguageName[]> => ['python'],
      defaultHelp: async () => 'python',
    }),
    yes: Flags.boolean({default: false, char: 'y', summary: 'do not ask before installing system packages'}),
    'dry-run': Flags.boolean({default: false, summary: 'only tell what would be done'}),
    boot: Flags.boolean({summary: 'boot a guest at the end', default: true, allowNo: true}),
    ...jsonFlag,
  };

  async run(): Promise<number> {
    const {flags, context} = await this.start(Setup);
    const report = await setUp(createSetupTools(context, this.config.root), {
      languages: flags.language,
      assumeYes: flags.yes,
      dryRun: flags['dry-run'],
      boot: flags.boot,
    });
    this.show(`${flags.json ? JSON.stringify(report, null, 2) : describeSetup(report).join('\n')}\n`);
    this.suggest(`agent vm temp --language ${flags.language[0]} --hello`);
    return 0;
  }
}
