import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {eventually} from '../guest-agent/eventually.js';
import {isRunning, makeShellGuest, type ShellGuest} from '../krunvm-double/shell-guest.js';
import {endProcess} from '../support/end-process.js';
import type {KrunvmFaults} from '../support/krunvm.js';

let vm: ShellGuest;
beforeAll(async () => {
  vm = await makeShellGuest();
});
afterAll(() => vm?.remove());

const onHost = async (script: string): Promise<string> => String((await vm.onHost(script)).stdout);
/** For a script of the host: starts the VM and waits until the guest's script has written `up`. */
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
    endProcess(krunvm);
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
  /** Through a shell, which tells an exit code from a signal by its number alone. */
  const startWith = async (faults: KrunvmFaults, args = '/bin/sh -- -c "echo hello; sleep 5"', env = {}) => {
    const script = `krunvm start vm ${args}; echo "= $?"`;
    const {stdout, stderr} = await vm.onHost(script, {faults, env});
    return {stdout: String(stdout), stderr};
  };

  it('without KVM it aborts', async () => {
    const {stdout, stderr} = await startWith({'no-kvm': true});
    expect(stdout).toBe('= 134\n');
    expect(stderr).toContain('Error creating the Kvm object');
    expect(existsSync('core')).toBe(false);
  });

  it('a guest that reboots ends like a success', async () => {
    expect(await startWith({reboot: true})).toEqual({stdout: '= 0\n', stderr: ''});
  });

  it('a VMM that is killed is gone with its guest', async () => {
    const {stdout} = await startWith({'dies-after': 1000}, '/bin/sh -- -c "echo hello; sleep 41993"');
    expect(stdout).toBe('hello\n= 137\n');
    await eventually(() => isRunning('sleep 41993')).toBe(false);
  });

  it('krunvm may speak before the guest does', async () => {
    const {stdout} = await startWith({noise: true}, '/bin/hostname');
    expect(stdout).toBe('krunvm: this is not the guest speaking\nvm\n= 0\n');
  });

  it('a silent guest never says anything and never ends', async () => {
    const script = 'timeout -s KILL 2 krunvm start vm /bin/ls; echo "= $?"';
    const {stdout} = await vm.onHost(script, {faults: {silent: true}});
    expect(String(stdout)).toBe('= 137\n');
    expect(await startWith({silent: true, 'dies-after': 100})).toMatchObject({stdout: '= 137\n'});
  });

  it.each([
    ['--cpus=0', 'Error setting VM config\n= 255\n', ''],
    ['--mem=32', '= 134\n', "Kernel doesn't fit in RAM"],
  ])('a VM with %s does not start', async (size, stdout, stderr) => {
    const env = {XDG_CONFIG_HOME: join(vm.folder, `config${size}`)};
    await vm.krunvm(['create', '--name=vm', size, 'localhost/shell:1'], {env});
    const run = await startWith({}, '/bin/ls', env);
    expect(run.stdout).toBe(stdout);
    expect(run.stderr).toContain(stderr);
  });

  it('an argument that the kernel line cannot carry aborts', async () => {
    const {stdout, stderr} = await startWith({}, '/bin/ls ü');
    expect(stdout).toBe('= 134\n');
    expect(stderr).toContain('InvalidAscii');
  });

  it('too many arguments look like a success', async () => {
    const many = Array.from({length: 32}, (_, at) => `${at}`).join(' ');
    expect(await startWith({}, `/bin/ls ${many}`)).toEqual({stdout: '= 0\n', stderr: ''});
  });
});
