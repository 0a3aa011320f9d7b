import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {eventually} from '../guest-agent/eventually.js';
import {asRoot, isRunning, makeShellGuest, type ShellGuest} from '../krunvm-double/shell-guest.js';
import type {KrunvmFaults} from '../support/krunvm.js';

let vm: ShellGuest;
beforeAll(async () => {
  vm = await makeShellGuest();
});
afterAll(() => vm?.remove());

/** Runs a script of the host that starts the VM; the guest's script writes `up` when it runs. */
const onHost = async (script: string): Promise<string> => {
  const ended = await vm.krunvm([], {
    through: [...asRoot, 'unshare', '--mount', '--', 'sh', '-c', script, 'sh'],
  });
  return String(ended.stdout);
};
const start = (guestScript: string, log: string): string =>
  `krunvm start vm /bin/sh -- -c "${guestScript}" >${log} & vm=$!; until grep -q up ${log}; do sleep 0.02; done;`;

describe('signals', () => {
  it.each([
    ['TERM', 143],
    ['HUP', 129],
    ['KILL', 137],
  ])('SIG%s ends the VM at once, with all that is in it', async (signal, code) => {
    const marker = `41${signal.length}${code}`;
    const log = join(vm.folder, `${signal}.log`);
    const script = `setsid sleep ${marker} & sleep ${marker} & trap 'echo told' TERM HUP; echo up; wait`;
    const startVm = start(script.replace('setsid ', ''), log);
    const stdout = await onHost(`${startVm} kill -${signal} $vm; wait $vm; echo $?`);
    expect(stdout).toBe(`${code}\n`);
    await eventually(() => isRunning(`sleep ${marker}`)).toBe(false);
    expect(readFileSync(log, 'utf8')).toBe('up\n');
  });

  it('SIGINT is a Ctrl-C inside', async () => {
    const log = join(vm.folder, 'int.log');
    const startVm = start("trap 'exit 66' INT; echo up; while :; do sleep 0.05; done", log);
    expect(await onHost(`${startVm} kill -INT $vm; wait $vm; echo $?`)).toBe('66\n');
  });

  it('SIGINT may be ignored inside', async () => {
    const log = join(vm.folder, 'ignored.log');
    const startVm = start("trap '' INT; echo up; sleep 0.5; exit 4", log);
    expect(await onHost(`${startVm} kill -INT $vm; wait $vm; echo $?`)).toBe('4\n');
  });

  /** Kills the parent of a krunvm that runs; returns krunvm's id. */
  const killParent = async (through: string, marker: string): Promise<number> => {
    const log = join(vm.folder, `parent${marker}.log`);
    await onHost(
      `sh -c '${through} krunvm start vm /bin/sh -- -c "echo up; sleep ${marker}" >${log} 2>&1 & echo $! >${log}.pid; wait' &
       until grep -q up ${log}; do sleep 0.02; done
       kill -9 $!; wait $!`,
    );
    return Number(readFileSync(`${log}.pid`, 'utf8'));
  };

  it('the VM outlives its parent', async () => {
    const krunvm = await killParent('', '41992.5');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(isRunning('sleep 41992.5')).toBe(true);
    process.kill(krunvm, 'SIGKILL');
    await eventually(() => isRunning('sleep 41992.5')).toBe(false);
  });

  it('the VM dies with its parent where it was told to', async () => {
    await killParent('setpriv --pdeathsig KILL', '41991.5');
    await eventually(() => isRunning('sleep 41991.5')).toBe(false);
  });
});

describe('a reader that goes away', () => {
  it('hangs the VM for ever, without work, until it is killed', async () => {
    const log = join(vm.folder, 'reader.log');
    const stdout = await onHost(
      `mkfifo ${vm.folder}/pipe
       krunvm start vm /bin/sh -- -c "while :; do echo line; done" >${vm.folder}/pipe 2>${log} & vm=$!
       head -n 1 <${vm.folder}/pipe
       ticks() { cut -d ' ' -f 14,15 /proc/$vm/stat; }
       sleep 0.5; before=$(ticks); sleep 1; after=$(ticks)
       echo "$before" "$after"; kill $vm; wait $vm; echo $?`,
    );
    const [line, ticks, code] = stdout.split('\n');
    expect([line, code]).toEqual(['line', '143']);
    const [user = 0, system = 0, userLater = 0, systemLater = 0] = (ticks ?? '').split(' ').map(Number);
    expect(userLater + systemLater - user - system).toBeLessThan(20);
  });

  it('hangs the VM also when the guest has ended', async () => {
    const child = vm.spawn(['start', 'vm', '/bin/sh', '--', '-c', 'sleep 0.5; echo late; echo over >&2']);
    child.stdout.destroy();
    let stderr = '';
    for await (const chunk of child.stderr) {
      stderr += String(chunk);
      if (stderr === 'over\n') break;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    child.kill('SIGKILL');
  });
});

describe('faults', () => {
  const startWith = async (faults: KrunvmFaults) => {
    const {code, signal, stdout, stderr} = await vm.sh('echo hello; sleep 5', {faults});
    return {ended: code ?? signal, stdout: String(stdout), stderr};
  };

  it('without KVM it aborts', async () => {
    const {ended, stdout, stderr} = await startWith({'no-kvm': true});
    expect([asRoot.length > 0 ? ended : 'SIGABRT', stdout]).toEqual([ended, '']);
    expect(stderr).toContain('Error creating the Kvm object');
    expect(existsSync('core')).toBe(false);
  });

  it('a guest that reboots ends like a success', async () => {
    expect(await startWith({reboot: true})).toEqual({ended: 0, stdout: '', stderr: ''});
  });

  it('a VMM that is killed is gone with its guest', async () => {
    const {ended, stdout} = await startWith({'dies-after': 1000});
    expect([['SIGKILL', 137].includes(ended ?? ''), stdout]).toEqual([true, 'hello\n']);
  });

  it('krunvm may speak before the guest does', async () => {
    const {stdout} = await vm.sh('echo hello', {faults: {noise: true}});
    expect(String(stdout)).toBe('krunvm: this is not the guest speaking\nhello\n');
  });

  it('a silent guest never says anything and never ends', async () => {
    const child = vm.spawn(['start', 'vm', '/bin/ls'], {faults: {silent: true}});
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect([child.exitCode, output]).toEqual([null, '']);
    child.kill('SIGKILL');
  });

  it.each([
    ['--cpus=0', 255, 'Error setting VM config\n', ''],
    ['--mem=32', 'SIGABRT', '', "Kernel doesn't fit in RAM"],
  ])('a VM with %s does not start', async (size, ended, stdout, stderr) => {
    const env = {XDG_CONFIG_HOME: join(vm.folder, `config${size}`)};
    await vm.krunvm(['create', '--name=odd', size, 'localhost/shell:1'], {env});
    const run = await vm.krunvm(['start', 'odd', '/bin/ls'], {env});
    expect([run.code ?? run.signal, String(run.stdout)]).toEqual([
      asRoot.length > 0 ? run.code : ended,
      stdout,
    ]);
    expect(run.stderr).toContain(stderr);
  });

  it('an argument that the kernel line cannot carry aborts', async () => {
    const {code, signal, stderr} = await vm.krunvm(['start', 'vm', '/bin/ls', 'ü']);
    expect(code ?? signal).not.toBe(0);
    expect(stderr).toContain('InvalidAscii');
  });

  it('too many arguments look like a success', async () => {
    const args = Array.from({length: 32}, (_, at) => `${at}`);
    const {code, stdout, stderr} = await vm.krunvm(['start', 'vm', '/bin/ls', ...args]);
    expect([code, String(stdout), stderr]).toEqual([0, '', '']);
  });
});
