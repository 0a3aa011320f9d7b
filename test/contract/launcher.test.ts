/** src/launcher/launcher.ts: what each method promises, a second call of it included. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readdirSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, afterEach, describe, expect, it} from 'vitest';
import {createContext} from '../../src/context.js';
import type {LauncherReport, MachineSpec} from '../../src/launcher/launcher.js';
import {silentProgress} from '../../src/model/progress.js';
import {identifyProcess, isAlive} from '../../src/process/identity.js';
import {bootGuest, launchOptions, shell} from '../support/booted-guest.js';
import {until} from '../support/until.js';
import {leftoversOf, nothing, processesOf} from '../support/vm-state.js';
import {useBench} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();

describe.each(launchers)('the launcher $name', (each) => {
  const {name} = each;
  const {state} = useBench(each, images);
  const env = {...process.env, ...state.env, AGENT_STATE_DIR: state.path};
  const {signal} = new AbortController();
  const context = createContext({env, progress: silentProgress, signal});
  const launcher = context.launcher(name);
  const vms = join(state.path, 'vms');
  const persist = join(state.path, 'persist');

  const made = new Set<string>();

  const makeSpec = (id: string, more: Partial<MachineSpec> = {}): MachineSpec => {
    const folder = join(vms, id);
    made.add(id);
    mkdirSync(folder, {recursive: true, mode: 0o700});
    const image = context.images.find(images.digests.small ?? '');
    if (!image) throw new Error('the small image is not there');
    return {
      id,
      folder,
      persistFolder: null,
      image,
      cpus: 1,
      memoryMib: 256,
      network: 'none',
      guestVolumes: false,
      ephemeral: true,
      ...more,
    };
  };

  // As cleaning does.
  afterEach(async () => {
    for (const id of made) {
      await launcher.end({id});
      await launcher.remove({id}, launchOptions());
      for (const folder of [vms, persist]) rmSync(join(folder, id), {recursive: true, force: true});
    }
    made.clear();
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  afterAll(async () => {
    await context.store().database.close();
  });

  it('examines this machine by booting a guest, and is proven by that', async () => {
    const report: LauncherReport = await launcher.examine(launchOptions());
    expect(report).toMatchObject({launcher: name, usable: true});
    expect(['tcg', 'kvm', 'hvf']).toContain(report.accelerator);
    const booted = report.findings.find(({ok, subject}) => ok && subject.startsWith('boot with'));
    expect(booted?.seen).toMatch(/^kernel \d\S+ after \d+ ms$/);
    for (const finding of report.findings) expect(finding.ok || finding.mend).toBeTruthy();
    expect(await launcher.isProven(launchOptions())).toBe(true);
  });

  it('checks without booting anything, any number of times', async () => {
    for (const network of ['none', 'allow_all', 'none'] as const) await launcher.check({network});
  });

  it('keeps files over being killed, on its own disk and on /persist, whatever is provisioned again', async () => {
    const spec = makeSpec('keeper-1', {ephemeral: false, persistFolder: join(persist, 'keeper-1')});
    mkdirSync(spec.persistFolder ?? '', {recursive: true});
    await launcher.provision(spec, launchOptions());
    const first = await bootGuest(launcher, spec);
    await shell(first.guest, 'echo own > /srv/file; echo kept > /persist/file; sync');
    // It is running already: whether that is refused or not, no harm may come of it.
    const again = launcher.boot(spec, launchOptions()).then((machine) => machine.kill());
    await again.catch((error: unknown) => expect(error).toMatchObject({code: expect.any(String)}));
    expect(await shell(first.guest, 'cat /srv/file /persist/file')).toBe('own\nkept\n');
    await first.machine.kill();
    const second = await bootGuest(launcher, spec);
    expect(await shell(second.guest, 'cat /srv/file /persist/file')).toBe('own\nkept\n');
    await second.guest.shutdown({graceMs: 100, timeoutMs: 10_000});
    expect(await second.machine.exited).toEqual({code: 0, signal: null});
    await second.machine.kill();
  });

  it('leaves nothing of an ephemeral VM but its console, and removes it twice', async () => {
    const spec = makeSpec('passing-1');
    const {machine, guest} = await bootGuest(launcher, spec);
    expect(await shell(guest, 'echo x > /srv/file && cat /srv/file')).toBe('x\n');
    await machine.kill();
    await machine.kill();
    expect(await machine.exited).toEqual({code: null, signal: 'SIGKILL'});
    expect(isAlive(machine.vmm)).toBe(false);
    expect(readdirSync(spec.folder)).toEqual(['console.log']);
    expect(statSync(join(spec.folder, 'console.log')).mode & 0o777).toBe(0o600);
    for (const line of machine.lastLines()) expect(line).toMatch(/^[\x20-\x7e]*$/);
    for (const id of [spec.id, spec.id, 'never-there']) await launcher.remove({id}, launchOptions());
  });

  it('ends with the signal, before, while and after it boots', async () => {
    const spec = makeSpec('aborted-1');
    await expect(launcher.boot(spec, launchOptions(AbortSignal.abort()))).rejects.toThrow();
    await launcher.provision(spec, launchOptions());
    for (const afterMs of [0, 150]) {
      const ending = new AbortController();
      const booting = launcher.boot(spec, launchOptions(ending.signal));
      setTimeout(() => ending.abort(), afterMs);
      const exit = await booting.then(
        ({exited}) => exited,
        () => 'refused',
      );
      expect(['refused', {code: null, signal: 'SIGKILL'}]).toContainEqual(exit);
      // What a VMM leaves dies with it, and is gone a moment later.
      await until('no process is left', () => processesOf(state).length === 0, 5_000);
    }
    const ending = new AbortController();
    const {machine} = await bootGuest(launcher, spec, ending.signal);
    ending.abort();
    expect(await machine.exited).toEqual({code: null, signal: 'SIGKILL'});
    expect(isAlive(machine.vmm)).toBe(false);
  });

  it('ends a VM by its own id, and no other', async () => {
    const spec = makeSpec('leftover-1');
    const {machine} = await bootGuest(launcher, spec);
    for (const id of ['leftover-11', 'leftover-2', 'eftover-1']) await launcher.end({id});
    await launcher.remove({id: 'leftover-11'}, launchOptions());
    expect(isAlive(machine.vmm)).toBe(true);
    await launcher.end(spec);
    expect(await machine.exited).toEqual({code: null, signal: 'SIGKILL'});
    await launcher.end(spec);
    await machine.kill();
  });

  it('forgets images that nobody needs, and no VM by it', async () => {
    const spec = makeSpec('stays-1', {ephemeral: false});
    await launcher.provision(spec, launchOptions());
    await launcher.forgetImages({...launchOptions(), except: []});
    await launcher.forgetImages({...launchOptions(), except: []});
    const {machine, guest} = await bootGuest(launcher, spec);
    expect(await shell(guest, 'echo still there')).toBe('still there\n');
    await machine.kill();
  });

  it('ends a VM together with the process that started it', async () => {
    const spec = makeSpec('orphan-1');
    const script = fileURLToPath(new URL('boot-and-stay.ts', import.meta.url));
    const args = ['--import', 'tsx', script, name, JSON.stringify(spec)];
    const parent = spawn(process.execPath, args, {env, stdio: ['ignore', 'pipe', 'inherit']});
    const [line] = await once(parent.stdout, 'data');
    const vmm = identifyProcess(Number(String(line).trim()));
    if (vmm === undefined) throw new Error('the VMM has ended');
    parent.kill('SIGKILL');
    await until('nothing runs', () => !isAlive(vmm) && processesOf(state).length === 0, 10_000);
  });
});
