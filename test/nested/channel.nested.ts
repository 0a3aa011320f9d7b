import {randomBytes} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {afterAll, beforeAll, describe, expect, inject, test} from 'vitest';
import {packFiles} from '../../src/guest/tar-pack.js';
import {unpackTo} from '../../src/guest/tar-unpack.js';
import {describeTree} from '../support/trees.ts';
import {type InnerGuest, type Streams, startInner} from './inner-guest.ts';
import {bootOuter, type Finished, type OuterGuest, readAll, runIn} from './outer-guest.ts';

const COMMAND_MS = 60_000;
const limits = {maxBytes: 16 * 1024 * 1024, maxEntries: 1000};

/** Each would be mangled or dropped on the kernel's command line, where `krunvm start` puts arguments. */
const NASTY = [
  '',
  ' ',
  'say "hi there" now',
  "it's",
  '--',
  '--env',
  'a\nb\tc\r',
  '\u0001\u001b[31m\u007f',
  'Ärger, 漢字, 🦀',
  '$HOME `id` \\ * ?',
  'mem=1 debug',
  'x'.repeat(20_000),
];

let outer: OuterGuest;

beforeAll(async () => {
  outer = await bootOuter();
});

afterAll(() => outer?.end());

describe.each<Streams>(['pipes', 'sockets'])('over %s', (streams) => {
  let inner: InnerGuest;
  const run = (script: string): Promise<Finished> => runIn(inner.guest, script, COMMAND_MS);

  beforeAll(async () => {
    inner = await startInner(outer, {streams});
  });

  afterAll(() => inner?.vmm.kill());

  test('HELLO comes from the guest within', () => {
    const {version, kernel, memoryBytes, phases} = inner.guest.hello;
    expect(version).toBe(1);
    expect(kernel).not.toBe(outer.guest.hello.kernel);
    expect(memoryBytes).toBeLessThan(320 * 1024 * 1024);
    expect(phases.map(({name}) => name)).toEqual(['channel', 'root', 'ready']);
  });

  test('arguments and environment arrive byte for byte, more of them than a kernel takes', async () => {
    const many = Array.from({length: 100}, (_, index) => `argument ${index}`);
    const argv = ['/bin/sh', '-c', 'cat /proc/$$/cmdline; echo end', 'name', ...NASTY, ...many];
    const session = inner.guest.exec({argv, env: [], cwd: '/', user: ''});
    session.stdin.end();
    const cmdline = (await readAll(session.stdout)).toString();
    expect(cmdline).toBe(`${argv.join('\0')}\0end\n`);
    const env = [...NASTY.map((value, index) => `NASTY_${index}=${value}`), 'HOME=/nowhere', 'a.b=c'];
    const other = inner.guest.exec({argv: ['cat', '/proc/self/environ'], env, cwd: '/', user: ''});
    other.stdin.end();
    expect((await readAll(other.stdout)).toString()).toBe(`${env.join('\0')}\0`);
  });

  test('standard output and error stay apart', async () => {
    const script = 'for i in 1 2 3; do echo out $i; echo err $i >&2; done; echo >/dev/stderr last';
    expect(await run(script)).toEqual({
      code: 0,
      signal: null,
      stdout: 'out 1\nout 2\nout 3\n',
      stderr: 'err 1\nerr 2\nerr 3\nlast\n',
    });
  });

  test('1 MiB of any bytes goes through a command and back on both of its outputs', async () => {
    const bytes = randomBytes(1024 * 1024);
    const argv = ['/bin/sh', '-c', 'tee /dev/stderr'];
    const session = inner.guest.exec({argv, env: ['PATH=/bin'], cwd: '/', user: ''});
    const [stdout, stderr] = await Promise.all([
      readAll(session.stdout),
      readAll(session.stderr),
      pipeline(Readable.from([bytes], {objectMode: false}), session.stdin),
    ]);
    expect((await session.exit).code).toBe(0);
    expect(stdout.equals(bytes)).toBe(true);
    expect(stderr.equals(bytes)).toBe(true);
  });

  test('files go in and come back as they were', async () => {
    const folder = join(inject('nested').folder, `files-${streams}`);
    const [source, back] = [join(folder, 'source'), join(folder, 'back')];
    await mkdir(join(source, 'folder'), {recursive: true});
    await writeFile(join(source, 'empty'), '', {mode: 0o600});
    await writeFile(join(source, 'folder/random'), randomBytes(700_000), {mode: 0o755});
    await writeFile(join(source, 'Ärger 漢字'), 'text\n');
    await inner.guest.put('/in', packFiles([source], limits), {...limits, user: ''});
    expect((await run('cp -a /in/source/. /out; ls -ln /in/source/empty')).stdout).toMatch(
      /^-rw------- +1 0 +0 +0 /,
    );
    await unpackTo(back, inner.guest.get('/out', limits), limits);
    expect(describeTree(back)).toEqual(describeTree(source));
  });

  test.each([0, 7, 42, 255])('exit code %i arrives', async (code) => {
    expect(await run(`exit ${code}`)).toMatchObject({code, signal: null});
  });

  test('what cannot be started has its code and its reason', async () => {
    const start = (argv: string[]) => inner.guest.exec({argv, env: [], cwd: '/', user: ''}).exit;
    expect(await start(['/bin/nope'])).toMatchObject({code: 127, reason: expect.stringContaining('nope')});
    expect(await start(['/not-executable'])).toMatchObject({code: 126});
  });

  test('SIGTERM reaches a command, SIGKILL ends it with all that it has started', async () => {
    const polite = inner.guest.exec({
      argv: ['/bin/sh', '-c', 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.1; done'],
      env: ['PATH=/bin'],
      cwd: '/',
      user: '',
    });
    const output = readAll(polite.stdout);
    polite.stdout.once('data', () => polite.kill(15, 'everything'));
    expect(await polite.exit).toMatchObject({code: 9, signal: null});
    expect((await output).toString()).toBe('ready\ncaught\n');
    const deaf = inner.guest.exec({
      argv: ['/bin/sh', '-c', 'trap "" TERM; (setsid sleep 4711 &); echo ready; sleep 4711'],
      env: ['PATH=/bin'],
      cwd: '/',
      user: '',
    });
    const left = async () => Number((await run('ps | grep -c "[s]leep 4711"')).stdout);
    await new Promise((resolve) => deaf.stdout.once('data', resolve));
    deaf.kill(15, 'everything');
    expect(await left()).toBeGreaterThan(0);
    deaf.kill(9, 'everything');
    expect(await deaf.exit).toMatchObject({code: null, signal: 9});
    expect(await left()).toBe(0);
  });

  test('SHUTDOWN is answered, and ends the VM with exit code 0', async () => {
    await inner.guest.shutdown({graceMs: 1000, timeoutMs: COMMAND_MS});
    expect(await inner.vmm.exitWithin(COMMAND_MS)).toMatchObject({code: 0, signal: null});
  });
});
