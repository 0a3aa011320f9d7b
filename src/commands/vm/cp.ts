import * as Args from '@oclif/core/args';
import {BaseCommand} from '../../base-command.js';
import {copySizeFlag} from '../../flags/copy-flags.js';
import {copiedEvent} from '../../render/copy-events.js';
import {streamSink} from '../../render/output-sink.js';
import {copyFiles} from '../../vm/copy-files.js';

export default class VmCp extends BaseCommand {
  static override summary = 'Copy files and folders between this machine and a VM.';
  static override description =
    'The side in the VM is VM:/path. Several sources go into a folder; a folder that is there gets what is copied ' +
    'under its own name, and FOLDER/. means what a folder holds. - is standard input or output: of a folder it is a ' +
    'tar stream. Modes are kept. Links go into the guest as links, and none come out of it. What is copied out of a ' +
    'VM takes its place when it is complete.';
  static override examples = [
    {
      description: 'A folder into a VM called builder, and a file out of it:',
      command: '<%= config.bin %> vm cp ./src builder:/srv',
    },
    {
      description: 'A file out of it, under another name:',
      command: '<%= config.bin %> vm cp builder:/etc/os-release ./release.txt',
    },
    {
      description: 'A folder as a tar stream:',
      command: '<%= config.bin %> vm cp builder:/var/log - | tar tv',
    },
  ];
  static override strict = false;
  static override args = {
    source: Args.string({
      description: 'path, VM:/path, or - for standard input; may be several',
      required: true,
      ignoreStdin: true,
    }),
    target: Args.string({
      description: 'VM:/path, path, or - for standard output',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = copySizeFlag;

  async run(): Promise<number> {
    const {flags, words, context} = await this.start(VmCp);
    const log = words.at(-1) === '-' ? process.stderr : process.stdout;
    const {stdin, stdout} = process;
    await copyFiles(
      context,
      {words, maxBytes: flags['max-size']},
      {
        io: {stdin, stdout: streamSink(stdout), isTerminal: stdout.isTTY},
        onCopied: (copied) => {
          this.tell(log, copiedEvent(copied));
          if (copied.skipped > 0) this.warnOf(`${copied.skipped} links of ${copied.source} were left out`);
        },
      },
    );
    return this.codeFor(0);
  }
}
