import {getEventListeners} from 'node:events';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {startMachine} from '../../../../src/launcher/qemu/machine/start-machine.js';

let folder = '';
let ending = new AbortController();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-machine-'));
  ending = new AbortController();
});
afterEach(() => {
  ending.abort();
  rmSync(folder, {recursive: true});
});

/** Starts a program of Node's in the place of QEMU: its sockets are 3 and 4, its files 5 and up. It lives for a moment at least. */
const start = async (code: string, files: {path: string; writable: boolean}[] = []) =>
  await startMachine({
    qemuPath: process.execPath,
    plan: {args: ['-e', `setTimeout(() => {${code}}, 100);`], files, savePath: null},
    confinement: [],
    accelerator: 'tcg',
    logPath: join(folder, 'console.log'),
    signal: ending.signal,
  });

const FOREVER = 'setInterval(() => {}, 1000);';

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe('startMachine', () => {
  it('joins the channel both ways', async () => {
    const machine = await start(`const s = new net.Socket({fd: 3}); s.pipe(s);`);
    machine.channel.write('over the channel');
    const [chunk] = await new Promise<[Buffer]>((resolve) => {
      machine.channel.once('data', (data: Buffer) => resolve([data]));
    });
    expect(chunk.toString()).toBe('over the channel');
    await machine.kill();
  });

  it('tells how the VMM ended, with its last words', async () => {
    const machine = await start(
      `fs.writeSync(4, 'guest panic\\n'); fs.writeSync(2, 'vmm: gone\\n'); process.exit(3);`,
    );
    expect(await machine.exited).toEqual({code: 3, signal: null});
    expect(machine.lastLines()).toEqual(['guest panic', 'vmm: gone']);
    expect(readFileSync(join(folder, 'console.log'), 'utf8')).toBe('guest panic\n');
    await machine.kill();
  });

  it('keeps what the guest has sent until the end', async () => {
    const machine = await start(`fs.writeSync(3, 'last frame');`);
    const received = text(machine.channel);
    await machine.exited;
    expect(await received).toBe('last frame');
  });

  it('hands over files, with the rights that were planned', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    writeFileSync(one, 'first');
    writeFileSync(two, 'second');
    const code = `let said = fs.readFileSync(5, 'utf8'); fs.writeSync(6, 'SE');
      try { fs.writeSync(5, 'x'); } catch (error) { said += error.code; } fs.writeSync(4, said);`;
    const machine = await start(code, [
      {path: one, writable: false},
      {path: two, writable: true},
    ]);
    await machine.exited;
    expect(machine.lastLines()).toEqual(['firstEBADF']);
    expect(readFileSync(two, 'utf8')).toBe('SEcond');
  });

  it('leaks neither environment nor folder nor process group', async () => {
    const code = `const group = fs.readFileSync('/proc/self/stat', 'utf8').split(' ')[4];
      const sockets = fs.readdirSync('/proc/self/fd').filter((fd) => {
        try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket'); } catch { return false; }
      });
      const about = [Object.keys(process.env).sort(), process.cwd(), group == process.pid, sockets];
      fs.writeSync(4, JSON.stringify(about));`;
    const machine = await start(code);
    await machine.exited;
    expect(JSON.parse(machine.lastLines().join(''))).toEqual([
      ['LC_ALL', 'PATH'],
      '/',
      true,
      ['2', '3', '4'],
    ]);
  });

  it('kills what does not listen, once or twice, before and after its end', async () => {
    const machine = await start(`process.on('SIGTERM', () => {}); ${FOREVER}`);
    await Promise.all([machine.kill(), machine.kill()]);
    expect(await machine.exited).toEqual({code: null, signal: 'SIGKILL'});
    expect(existsSync(`/proc/${machine.vmm.pid}`)).toBe(false);
    await machine.kill();
  });

  it('ends with the signal, and leaves no listener', async () => {
    const machine = await start(FOREVER);
    expect(getEventListeners(ending.signal, 'abort')).toHaveLength(1);
    ending.abort();
    expect(await machine.exited).toEqual({code: null, signal: 'SIGKILL'});
    expect(getEventListeners(ending.signal, 'abort')).toHaveLength(0);
    await expect(start(FOREVER)).rejects.toThrow(/abort/);
  });

  it('bounds what a flooding console leaves on disk', async () => {
    const machine = await start(
      `const line = Buffer.alloc(1 << 20, 'flood\\n'); for (let i = 0; i < 30; i++) fs.writeSync(4, line);`,
    );
    await machine.exited;
    expect(statSync(join(folder, 'console.log')).size).toBeLessThanOrEqual(1 << 20);
    await machine.kill();
  });

  it('leaks no descriptor, however starting fails', async () => {
    const disk = join(folder, 'disk');
    writeFileSync(disk, '');
    const request = {confinement: [], accelerator: 'tcg', logPath: null, signal: ending.signal};
    const failing = async (): Promise<void> => {
      const files = [{path: disk, writable: true}];
      const missing = {qemuPath: '/no/such/qemu', plan: {args: [], files, savePath: null}, ...request};
      await expect(startMachine(missing)).rejects.toMatchObject({code: 'PROCESS_FAILED'});
      await expect(start('', [...files, {path: '/no/such/disk', writable: false}])).rejects.toThrow('ENOENT');
      const machine = await start('process.exit(1)', files);
      await machine.exited;
      await machine.kill();
    };
    await failing();
    const before = openDescriptors();
    for (let count = 0; count < 7; count++) await failing();
    expect(openDescriptors()).toBeLessThanOrEqual(before);
    expect(getEventListeners(ending.signal, 'abort')).toHaveLength(0);
  });
});
