import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {eventually} from '../guest-agent/eventually.js';
import {IMAGE, makeShellGuest, mountsBelow, type ShellGuest} from '../krunvm-double/shell-guest.js';

let overlay: ShellGuest;
let vfs: ShellGuest;
beforeAll(async () => {
  overlay = await makeShellGuest({driver: 'overlay'});
  vfs = await makeShellGuest({driver: 'vfs'});
  for (const {folder} of [overlay, vfs]) writeFileSync(join(folder, 'volume', 'file'), 'x');
});
afterAll(() => {
  overlay?.remove();
  vfs?.remove();
});

/** Says every few milliseconds what is in the folder, until there is a file named stop. */
const watch = 'until [ -e /tmp/stop ]; do ls -m /ws; echo .; sleep 0.05; done';

describe('krunvm start', () => {
  it('leaves the root folder and the volumes mounted', async () => {
    const {stdout} = await overlay.onHost('krunvm start vm /bin/ls /; cat /proc/self/mounts');
    const mounted = String(stdout)
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(`${join(overlay.folder, 'root', 'overlay')}/`));
    expect(mounted).toEqual([expect.stringMatching(/\/merged$/), expect.stringMatching(/\/merged\/ws$/)]);
  });

  it('leaves nothing mounted outside of a mount namespace of its own', async () => {
    expect((await overlay.sh('ls /ws')).code).toBe(0);
    expect(mountsBelow(overlay.folder)).toEqual([]);
  });

  it('of a VM that runs succeeds, and takes its volumes from it', async () => {
    const log = join(overlay.folder, 'first.log');
    const {stdout} = await overlay.onHost(`krunvm start vm /bin/sh -- -c "${watch}" >${log} & first=$!
       until grep -q file ${log}; do sleep 0.05; done
       krunvm start vm /bin/ls /ws; echo "second $?"
       lines=$(wc -l <${log})
       until [ $(wc -l <${log}) -gt $((lines + 9)) ]; do sleep 0.05; done
       kill -0 $first && echo 'first runs'; kill -9 $first`);
    expect(String(stdout)).toBe('file\nsecond 0\nfirst runs\n');
    expect(readFileSync(log, 'utf8')).toMatch(/^file\n\.\n(?:.*\n)*\.\n\.\n$/);
  });

  it('of a VM that runs fails where its root folder is no mount of its own', async () => {
    const log = join(vfs.folder, 'first.log');
    const {stdout} = await vfs.onHost(`krunvm start vm /bin/sh -- -c "${watch}" >${log} & first=$!
       until grep -q file ${log}; do sleep 0.05; done
       krunvm start vm /bin/ls /ws; echo "second $?"; kill -9 $first`);
    expect(String(stdout)).toBe(
      "Couldn't acquire lock file. Is another instance of this VM already running?\nsecond 255\n",
    );
  });

  it('cannot mount a file as a volume', async () => {
    const file = join(vfs.folder, 'volume', 'file');
    await vfs.krunvm(['create', '--name=file', `--volume=${file}:/f`, IMAGE]);
    const {code, stdout} = await vfs.krunvm(['start', 'file', '/bin/ls']);
    expect([code, String(stdout)]).toEqual([255, 'Error mounting volume /f\n']);
  });

  it('can be told that it is started elsewhere at the same moment', async () => {
    const {code, stdout} = await vfs.krunvm(['start', 'vm', '/bin/ls'], {faults: {'lock-held': true}});
    expect([code, String(stdout)]).toEqual([255, expect.stringContaining("Couldn't acquire lock file")]);
  });

  it('writes through a link that the guest has left in the place of its lock', async () => {
    const precious = join(vfs.folder, 'precious');
    writeFileSync(precious, 'not the guest’s');
    const leave = (target: string) => vfs.sh(`ln -sf ${target} /.krunvm.lock`);
    expect((await leave(precious)).code).toBe(0);
    expect((await leave('/etc/krunvm-double-must-not-make-this')).code).toBe(0);
    expect(readFileSync(precious, 'utf8')).toBe('');
    expect((await vfs.sh('exit 5')).code).toBe(101);
    expect(existsSync('/etc/krunvm-double-must-not-make-this')).toBe(false);
    await vfs.krunvm(['delete', 'vm']);
    await vfs.krunvm(['create', '--name=vm', IMAGE]);
  });
});

describe('krunvm delete', () => {
  it('of a VM that runs succeeds, keeps the files of the host, and breaks the guest', async () => {
    mkdirSync(join(overlay.folder, 'kept'));
    writeFileSync(join(overlay.folder, 'kept', 'file'), 'x');
    const log = join(overlay.folder, 'deleted.log');
    await overlay.krunvm(['create', '--name=gone', `--volume=${overlay.folder}/kept:/ws`, IMAGE]);
    const {stdout} = await overlay.onHost(`krunvm start gone /bin/sh -- -c "${watch}" >${log} & first=$!
       until grep -q file ${log}; do sleep 0.05; done
       krunvm delete gone; echo "delete $?"
       until [ "$(tail -n 2 ${log})" = ".
." ]; do sleep 0.05; done
       kill -0 $first && echo 'guest runs'; kill -9 $first`);
    expect(String(stdout)).toBe('delete 0\nguest runs\n');
    expect(readFileSync(join(overlay.folder, 'kept', 'file'), 'utf8')).toBe('x');
    expect(String((await overlay.krunvm(['delete', 'gone'])).stdout)).toBe('No VM found with that name\n');
  });
});

describe('krunvm create', () => {
  it('loses VMs when several run at once, and leaves their containers', async () => {
    const names = ['c1', 'c2', 'c3', 'c4'];
    // All have read the registry before one writes it.
    const options = {faults: {'slow-create': 800}};
    const created = await Promise.all(
      names.map((name) => vfs.krunvm(['create', `--name=${name}`, IMAGE], options)),
    );
    expect(created.filter(({code}) => code === 0).length).toBeGreaterThan(0);
    const {stdout} = await vfs.onHost('buildah containers --quiet | wc -l; krunvm list | grep -c "^c[1-4]$"');
    const [containers, listed] = String(stdout).split('\n').map(Number);
    // vm, the one with a file, and these four.
    expect(containers).toBe(6);
    expect(listed).toBeLessThan(4);
  });

  it('fails as often as asked, and makes nothing then', async () => {
    const options = {faults: {'create-fails': 2}, env: {XDG_CONFIG_HOME: join(vfs.folder, 'other-config')}};
    const create = () => vfs.krunvm(['create', '--name=late', IMAGE], options);
    const codes = [await create(), await create(), await create()].map(({code, stdout}) => [
      code,
      String(stdout),
    ]);
    expect(codes).toEqual([
      [255, 'buildah returned an error: \n'],
      [255, 'buildah returned an error: \n'],
      [0, 'microVM created with name: late\n'],
    ]);
    await eventually(() => existsSync(join(vfs.folder, 'other-config'))).toBe(true);
  });

  it('says that the name is taken, and passes on what buildah says', async () => {
    const taken = await vfs.krunvm(['create', '--name=vm', IMAGE]);
    expect([taken.code, String(taken.stdout)]).toEqual([255, 'A VM with this name already exists\n']);
    const missing = await vfs.krunvm(['create', '--name=other', 'oci:/no/such/layout']);
    expect([missing.code, String(missing.stdout)]).toEqual([255, 'buildah returned an error: \n']);
    expect(missing.stderr).toMatch(/no such file/);
  });
});
