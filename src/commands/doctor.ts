import {BaseCommand} from '../base-command.js';
import {jsonFlag} from '../flags/vm-flags.js';
import {ExitCode} from '../model/exit-code.js';
import {renderFindings} from '../render/diagnosis.js';
import {type Diagnosis, examine} from '../vm/examine.js';

export default class Doctor extends BaseCommand {
  static override summary = 'Tell what this machine can run, by booting a tiny guest.';
  static override description = 'The exit code is 0 only if at least one launcher has booted one.';
  static override examples = [
    {description: 'What works here, and how to mend what does not:', command: '<%= config.bin %> doctor'},
    {description: 'For a script:', command: '<%= config.bin %> doctor --json | jq .usable'},
  ];
  static override flags = jsonFlag;

  async run(): Promise<number> {
    const {flags, context} = await this.start(Doctor);
    const diagnosis = await examine(context);
    this.show(flags.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : this.draw(diagnosis));
    return this.codeFor(diagnosis.usable ? ExitCode.ok : ExitCode.failed);
  }

  private draw({launchers, images, templates, usable}: Diagnosis): string {
    const sections = [
      ...launchers.map(({launcher, findings}) => ({title: launcher, findings})),
      {title: 'images', findings: images},
      {title: 'templates', findings: templates},
    ].map(({title, findings}) => renderFindings(process.stdout, title, findings));
    const verdict = usable
      ? 'This machine can run VMs. Try: agent vm temp --language python --hello\n'
      : 'This machine cannot run VMs yet. Mend what is marked above, or run: agent setup\n';
    return `${sections.join('\n')}\n${verdict}`;
  }
}
