import {execFileSync} from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually} from './eventually.ts';
import {type LibkrunGuest, START, withLibkrunGuest} from './libkrun-guest.ts';
import {encodeFields, Tag, Type, terminalSize} from './wire.ts';

const run = async ({peer}: LibkrunGuest, script: string): Promise<string> => {
  const {code, stdout, stderr} = await peer.run(script);
  if (code !== 0) throw new Error(`${script}: ${code}, ${stderr}`);
  return stdout;
};

const modeOf = (path: string): string => lstatSync(path).mode.toString(8);

test('adds to a guest of libkrun what every guest has', () =>
  withLibkrunGuest({}, async (guest) => {
    const {root} = guest;
    for (const name of ['in', 'out', 'persist', 'tmp']) expect(modeOf(join(root, name))).toBe('41777');
    for (const name of ['in', 'out', 'persist']) {
      expect(readlinkSync(join(root, 'workspace', name))).toBe(`/${name}`);
    }
    expect(readFileSync(join(root, 'etc/hosts'), 'utf8')).toContain(`127.0.1.1\t${hostname()}\n`);
    expect(readFileSync(join(root, 'etc/hostname'), 'utf8')).toBe(`${hostname()}\n`);
    expect(existsSync(join(root, 'etc/resolv.conf'))).toBe(false);
    expect(await run(guest, 'readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr')).toBe(
      '/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n',
    );
    expect(await run(guest, 'echo through >/dev/stdout')).toBe('through\n');
  }));

test('mounts what libkrun has not, and brings lo up', () =>
  withLibkrunGuest({}, async (guest) => {
    const mounts = await run(guest, 'cat /proc/mounts');
    for (const line of ['proc /proc proc ', 'sysfs /sys sysfs ', 'tmpfs /dev/shm tmpfs ']) {
      expect(mounts).toContain(`\n${line}`);
    }
    expect(mounts).not.toContain('devtmpfs /dev devtmpfs ');
    expect(Number(await run(guest, 'cat /sys/class/net/lo/flags')) & 1).toBe(1);
  }));

test('leaves what is mounted as it is', () =>
  withLibkrunGuest(
    {before: 'mkdir -p proc dev/shm && mount -t proc proc proc && mount -t tmpfs mine dev/shm'},
    async (guest) => {
      const mounts = (await run(guest, 'cat /proc/mounts')).split('\n');
      expect(mounts.filter((line) => line.includes(' /proc '))).toHaveLength(1);
      expect(mounts.filter((line) => line.includes(' /dev/shm '))).toEqual([
        expect.stringMatching(/^mine \/dev\/shm tmpfs /),
      ]);
    },
  ));

test('follows no link of the image', () => {
  const victim = 'victim';
  return withLibkrunGuest(
    {
      fill: (root) => {
        mkdirSync(join(root, victim), {mode: 0o700});
        for (const name of ['in', 'workspace', 'tmp-target']) symlinkSync(`/${victim}`, join(root, name));
        writeFileSync(join(root, 'out'), 'a file');
        symlinkSync('/nowhere', join(root, 'persist'));
        symlinkSync(`../${victim}`, join(root, 'proc'));
        symlinkSync(`../${victim}/null`, join(root, 'dev/stdout'));
        mkdirSync(join(root, 'etc'));
        symlinkSync(`/${victim}/hosts`, join(root, 'etc/hosts'));
      },
    },
    async (guest) => {
      const {root} = guest;
      for (const name of ['in', 'out', 'persist']) expect(modeOf(join(root, name))).toBe('41777');
      expect(lstatSync(join(root, 'workspace')).isDirectory()).toBe(true);
      expect(lstatSync(join(root, 'proc')).isDirectory()).toBe(true);
      expect(lstatSync(join(root, 'etc/hosts')).isFile()).toBe(true);
      expect(await run(guest, `echo through >/dev/stdout; ls -A /${victim}`)).toBe('through\n');
      expect(modeOf(join(root, victim))).toBe('40700');
    },
  );
});

test('keeps what the image has in its place', () =>
  withLibkrunGuest(
    {
      fill: (root) => {
        mkdirSync(join(root, 'var/tmp'), {recursive: true});
        symlinkSync('var/tmp', join(root, 'tmp'));
        mkdirSync(join(root, 'workspace/in/kept'), {recursive: true});
        mkdirSync(join(root, 'in'));
        writeFileSync(join(root, 'in/kept'), '');
      },
    },
    async ({root}) => {
      expect(readlinkSync(join(root, 'tmp'))).toBe('var/tmp');
      expect(existsSync(join(root, 'workspace/in/kept'))).toBe(true);
      expect(existsSync(join(root, 'in/kept'))).toBe(true);
    },
  ));

test('is another mode only as /.agent', () =>
  withLibkrunGuest({start: START.replace('/.agent', '/./.agent')}, async ({root}) => {
    expect(existsSync(join(root, 'in'))).toBe(false);
  }));

test('hands nothing of its own environment to commands', () =>
  withLibkrunGuest(
    {env: {KRUN_INIT: '/.agent', HOSTNAME: 'x', TERM: 'linux', LEAKED: '1'}},
    async ({peer}) => {
      const session = peer.exec(['env'], [[Tag.env, 'NASTY=a "b"\n\t$c \\ é']]);
      await session.exit;
      expect(session.stdout).toBe('NASTY=a "b"\n\t$c \\ é\nHOME=/\n');
    },
  ));

test('answers SYNC where it may set neither clock nor entropy', () =>
  withLibkrunGuest({}, async ({peer, log}) => {
    const before = Date.now();
    const done = peer.next(Type.sync);
    const rows = [
      [Tag.time, {u64: 1_000_000_000_000_000_000n}],
      [Tag.entropy, Buffer.alloc(32, 7)],
    ] as const;
    await peer.send(Type.sync, 0, encodeFields(rows));
    expect((await done).payload).toHaveLength(0);
    expect(Date.now()).toBeGreaterThanOrEqual(before);
    await eventually(log).toContain('agent: clock: Operation not permitted\n');
  }));

test('serves pipes as it serves sockets', () =>
  withLibkrunGuest({start: `cat | ${START} | cat`}, async ({peer}) => {
    const session = peer.exec(['cat']);
    const bytes = Buffer.alloc(1_000_000, Buffer.from(Array.from({length: 251}, (_, i) => i)));
    await session.end(bytes);
    expect((await session.exit).code).toBe(0);
    expect(Buffer.concat(session.output.stdout).equals(bytes)).toBe(true);
  }));

/** Pipes under the names of ports; what libkrun's init has failed to do is up to `start`. */
const ports = (names: readonly string[]) => (root: string) => {
  for (const [index, name] of names.entries()) {
    const folder = join(root, `sys/class/virtio-ports/vport2p${index}`);
    mkdirSync(folder, {recursive: true});
    if (name !== '') writeFileSync(join(folder, 'name'), `${name}\n`);
    execFileSync('mkfifo', [join(root, `dev/vport2p${index}`)]);
  }
};

const bridge = 'exec 3<&0 4>&1; cat <&3 >dev/vport2p1 & cat <dev/vport2p2 >&4 & cat <dev/vport2p3 >&2 &';

test.each([
  ['are closed', `${bridge} ${START} <&- >&- 2>&-`],
  ['are something else', `${bridge} ${START} </dev/null >/dev/null 2>&1`],
])('finds the ports of libkrun where its standard streams %s', (_, start) =>
  withLibkrunGuest({fill: ports(['', 'krun-stdin', 'krun-stdout', 'krun-stderr']), start}, async (guest) => {
    expect(await run(guest, 'cat /proc/mounts')).toContain(' /dev/shm tmpfs ');
    await eventually(guest.log).toContain("agent: opened 3 ports that libkrun's init had not\n");
  }),
);

test('waits for ports that get their names late', () => {
  const late =
    'cd sys/class/virtio-ports; sleep 0.5; echo krun-stdin >vport2p1/name; echo krun-stdout >vport2p2/name';
  const start = `(${late}) & ${bridge} ${START} <&- >&-`;
  return withLibkrunGuest({fill: ports(['', '', '', 'krun-stderr']), start}, async ({peer}) => {
    await peer.ping();
  });
});

test('is not stopped by a standard error that nobody reads', () =>
  withLibkrunGuest(
    {before: 'mkfifo full && exec 2<>full && (timeout 0.5 head -c 1000000 /dev/zero >&2 || :)'},
    async ({peer}) => {
      const done = peer.next(Type.sync);
      await peer.send(Type.sync, 0, encodeFields([[Tag.time, {u64: 1n}]]));
      await done;
    },
  ));

test('ends with SHUTDOWN: processes ended, the answer sent, exit 0', () =>
  withLibkrunGuest({}, async ({peer, ended, root}) => {
    const session = peer.sh(
      'trap "echo bye; touch /out/ended; exit 3" TERM; echo ready; while :; do sleep 0.05; done',
    );
    while (session.stdout === '') await peer.ping();
    const done = peer.next(Type.shutdown);
    await peer.send(Type.shutdown, 0, encodeFields([[Tag.grace, {u32: 5000}]]));
    expect((await session.exit).code).toBe(3);
    await done;
    expect(await ended).toBe(0);
    expect(existsSync(join(root, 'out/ended'))).toBe(true);
  }));

test('ends with its channel, also while commands run', () =>
  withLibkrunGuest({}, async ({peer, ended}) => {
    const session = peer.sh('trap "" TERM; echo ready; sleep 1000');
    while (session.stdout === '') await peer.ping();
    peer.close();
    expect(await ended).toBe(0);
  }));

test('gives terminals, and tells of what is in /out', () =>
  withLibkrunGuest({}, async ({peer}) => {
    const session = peer.sh('tty; stty size; read line; echo "got $line"; echo >/out/file', [
      [Tag.terminal, terminalSize(30, 90)],
    ]);
    await session.write('word\r');
    expect(await session.exit).toMatchObject({code: 0, out: 1});
    expect(session.stdout.split('\r\n').filter((line) => line !== 'word')).toEqual([
      '/dev/pts/0',
      '30 90',
      'got word',
      '',
    ]);
    expect((await peer.run('rm /out/file')).out).toBe(0);
  }));
