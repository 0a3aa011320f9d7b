import {randomBytes} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {asRoot, makeShellGuest, type ShellGuest} from '../krunvm-double/shell-guest.js';

let vm: ShellGuest;
beforeAll(async () => {
  vm = await makeShellGuest();
});
afterAll(() => vm?.remove());

describe('the guest', () => {
  it('has its standard input, with its end, and its output apart and byte for byte', async () => {
    const input = randomBytes(1024 * 1024);
    const {code, stdout, stderr} = await vm.sh('echo beside >&2; cat', {input});
    expect({code, stderr, same: stdout.equals(input)}).toEqual({code: 0, stderr: 'beside\n', same: true});
  });

  it('ends though its standard input does not', async () => {
    const child = vm.spawn(['start', 'vm', 'sh', '--', '-c', 'exit 3']);
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(3);
  });

  it.each([
    ['exit 255', 255, ''],
    ['exit 300', 44, ''],
    ['kill -9 $$', 137, ''],
    ['sleep 60 & exit 7', 7, ''],
    ['echo 1 > /dev/stdout', 0, ''],
  ])('sh -c %j ends with %i', async (script, code, stdout) => {
    const ended = await vm.sh(script);
    expect({...ended, stdout: String(ended.stdout)}).toEqual({code, signal: null, stdout, stderr: ''});
  });

  it.each([
    ['/bin/nope', 127, 'No such file or directory'],
    ['/tmp', 126, 'Permission denied'],
  ])('cannot execute %s', async (command, code, why) => {
    const ended = await vm.krunvm(['start', 'vm', command]);
    const words = `Couldn't execute '${command}' inside the vm: ${why}\n`;
    expect([ended.code, String(ended.stdout)]).toEqual([code, words]);
  });

  it('has the environment that krunvm, its caller and the image give it, and none of the host', async () => {
    const options = {env: {LEAKED: 'yes'}};
    const {stdout} = await vm.krunvm(
      ['start', 'vm', '--env', 'A=b c', '--env=PATH=/bin:/sbin', 'env'],
      options,
    );
    expect(String(stdout).split('\n').sort()).toEqual([
      '',
      'A=b c',
      'FROM=image',
      'HOME=/root',
      'HOSTNAME=vm',
      'KRUN_INIT=env',
      'PATH=/bin:/sbin',
      'TERM=linux',
    ]);
    const {stdout: others, stderr} = await vm.sh('cat /proc/[0-9]*/environ', options);
    expect(`${others}`).toContain('HOSTNAME=vm');
    expect(`${others}${stderr}`).not.toContain('LEAKED');
  });

  it('runs the command of the image in its folder, under the name of the VM, and keeps its files', async () => {
    expect(String((await vm.krunvm(['start', 'vm'])).stdout)).toBe('default\n');
    const {stdout} = await vm.sh('pwd; hostname; cat kept; echo mine > kept');
    expect(String(stdout)).toBe('/tmp\nvm\n');
    expect(String((await vm.sh('cat kept')).stdout)).toBe('mine\n');
  });

  it('sees the folders it was created with', async () => {
    writeFileSync(join(vm.folder, 'volume', 'given'), 'by the host');
    const {stdout} = await vm.sh('cat /ws/given; echo by the guest > /ws/taken');
    expect(String(stdout)).toBe('by the host');
    expect(readFileSync(join(vm.folder, 'volume', 'taken'), 'utf8')).toBe('by the guest\n');
    expect(readdirSync(join(vm.folder, 'volume')).sort()).toEqual(['given', 'taken']);
  });

  it('has a few devices, and no /dev/stdin, /dev/stdout, /dev/stderr', async () => {
    const {stdout} = await vm.sh('ls /dev; cat /etc/resolv.conf; ls -A /');
    const [devices, rest] = String(stdout).split('options');
    expect(devices?.trim().split('\n')).toEqual(
      'fd full null ptmx pts random shm tty urandom zero'.split(' '),
    );
    expect(rest).toMatch(/^ use-vc\nnameserver 1\.1\.1\.1\n/);
    expect(rest).toContain('.krun_config.json');
    expect(rest).toContain('.krunvm.lock');
  });
});

describe('confinement', () => {
  const refused = {
    'the clock': 'date -s 2001-01-01',
    mounts: 'mount -t tmpfs none /tmp',
    devices: 'mknod /tmp/disk b 254 0',
    'the kernel': 'echo 1 > /proc/sys/vm/drop_caches',
    'its name': 'hostname other',
    "process 1's files": 'ls /proc/1/root/',
    "process 1's environment": 'cat /proc/1/environ',
  };
  it.each(Object.entries(refused))('keeps %s from the guest', async (_, script) => {
    const {code, stderr} = await vm.sh(script);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/denied|not permitted|read-only|must be root/i);
  });

  it('shows the guest no process and no file of the host', async () => {
    const {stdout} = await vm.sh(
      `cd ../../../..; ls -d ${vm.folder} bin; ls -d /proc/${process.pid} /proc/1`,
    );
    expect(String(stdout)).toBe('bin\n/proc/1\n');
    expect(existsSync(vm.folder)).toBe(true);
  });

  it("leaves the guest in the network namespace of krunvm's own", async () => {
    const {stdout: same} = await vm.sh('readlink /proc/self/ns/net');
    expect(String(same)).toBe(`${readlinkSync('/proc/self/ns/net')}\n`);
    const {stdout: none} = await vm.sh('cat /proc/net/dev', {
      through: [...asRoot, 'unshare', '--mount', '--net', '--'],
    });
    expect(String(none).match(/^ *\w+:/gm)).toEqual(['    lo:']);
  });
});
