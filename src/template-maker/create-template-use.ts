/** Templates as this process uses them: implements `TemplateUse` of src/vm/vm-context.ts. */
import type {Launcher} from '../launcher/launcher.js';
import type {LauncherName} from '../model/launcher-name.js';
import type {TemplateMode} from '../model/template-mode.js';
import type {TemplateUse} from '../vm/vm-context.js';
import type {MakerProgram} from './start-maker.js';

interface TemplateUseOptions extends MakerProgram {
  readonly mode: TemplateMode;
  readonly launcher: (name: LauncherName) => Launcher;
}

export const createTemplateUse = ({mode, launcher, ...program}: TemplateUseOptions): TemplateUse => ({
  isOn: mode === 'auto',
  makeLater: ({spec, ...order}) => {
    const start = async (): Promise<void> => {
      if ((await launcher(order.launcher).templates()) === null) return;
      const {image, cpus, memoryMib, network} = spec;
      const {startMaker} = await import('./start-maker.js');
      await startMaker(program, {...order, digest: image.digest, cpus, memoryMib, network});
    };
    void start().catch(() => {}); // the next VM boots, too
  },
});
