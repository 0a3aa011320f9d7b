import * as Flags from '@oclif/core/flags';
import {BaseCommand} from '../../base-command.js';
import {parseEnv} from '../../flags/key-value.js';
import {envFlag, shellTimeoutFlag} from '../../flags/vm-flags.js';
import {ExitCode} from '../../model/exit-code.js';
import {streamSink} from '../../render/output-sink.js';
import {shellEndEvent, shellErrorEvent, shellEvent} from '../../render/shell-events.js';
import {findTerminal} from '../../terminal/host-terminal.js';
import {selectForShell, shellVm} from '../../vm/shell-vm.js';

export default class VmShell extends BaseCommand {
  static override summary = 'Open a shell in a VM, on this terminal.';
  static override description =
    'It has a terminal of its own in the VM that follows the size of this one; every key goes there, Ctrl-C too, but ' +
    'ctrl-], which detaches. Without a terminal on standard input, that is piped to the shell. The exit code is the shell’s.';
  static override examples = [
    {
      description: 'Open bash, or sh where the image has no bash, in a VM called builder:',
      command: '<%= config.bin %> vm shell --vm builder',
    },
    {
      description: 'Open another program instead:',
      command: `<%= config.bin %> vm shell --vm builder --cmd "top -d 1"`,
    },
    {
      description: 'Run a script of this machine in it:',
      command: 'echo "uname -a" | <%= config.bin %> vm shell --vm builder',
    },
  ];
  static override flags = {
    vm: Flags.string({summary: 'id, unambiguous start of an id, or name', required: true}),
    cmd: Flags.string({char: 'c', summary: 'shell command to run instead of a shell, as: /bin/bash -l'}),
    new: Flags.boolean({default: false, summary: 'another shell, even where one was detached'}),
    ...envFlag,
    ...shellTimeoutFlag,
  };

  protected override readonly failureCode = ExitCode.agentFailed;

  async run(): Promise<number> {
    const {flags, context} = await this.start(VmShell);
    const record = selectForShell(context, flags.vm);
    const terminal = findTerminal();
    const shell = {record, command: flags.cmd ?? null};
    const options = {
      ...shell,
      env: parseEnv(flags.env, context.env),
      timeoutMs: flags.timeout,
      isNew: flags.new,
    };
    const result = await shellVm(context, options, {
      terminal,
      stdin: terminal ? null : process.stdin,
      stdout: streamSink(process.stdout),
      stderr: streamSink(process.stderr),
      onStart: ({left}) =>
        this.tell(
          process.stderr,
          shellEvent(shell, {hasTerminal: terminal !== null, left, now: context.now()}),
        ),
    });
    const exitCode = this.codeFor(result.exitCode);
    if (!result.error) this.tell(process.stderr, shellEndEvent(shell, {...result, exitCode}));
    else this.tellFailure(process.stderr, shellErrorEvent(shell, result.error, exitCode), result.error);
    return exitCode;
  }
}
