import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {constants, tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually} from './eventually.ts';
import {withAgent} from './stdio-agent.ts';
import {Tag} from './wire.ts';

let folder: string;
const {errno} = constants;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'guest-agent-'));
  chmodSync(folder, 0o755);
});

afterAll(() => rmSync(folder, {recursive: true, force: true}));

const makeFile = (name: string, text: string | Buffer, mode: number): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

test('hands over arguments, environment and folder as they are', () =>
  withAgent(async ({peer}) => {
    const args = ['', ' a  b ', '$HOME', "'", '\n', 'ü', '-n'];
    const session = peer.exec(
      [
        process.execPath,
        '-e',
        'console.log(JSON.stringify([process.argv.slice(1), process.env, process.cwd()]))',
        '--',
        ...args,
      ],
      [
        [Tag.env, 'A=1=2'],
        [Tag.env, 'EMPTY='],
        [Tag.env, 'HOME=/nowhere'],
        [Tag.cwd, folder],
      ],
    );
    expect((await session.exit).code).toBe(0);
    expect(JSON.parse(session.stdout)).toEqual([args, {A: '1=2', EMPTY: '', HOME: '/nowhere'}, folder]);
  }));

test('keeps the two output streams apart and gives the exit code, time and memory', () =>
  withAgent(async ({peer}) => {
    const {code, stdout, stderr, cpuUs, maxRssKib} = await peer.run(
      'echo out; echo err >&2; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 255',
    );
    expect({code, stdout, stderr}).toEqual({code: 255, stdout: 'out\n', stderr: 'err\n'});
    expect(cpuUs).toBeGreaterThan(1000);
    expect(maxRssKib).toBeGreaterThan(300);
  }));

test('reports the signal that ended a command', () =>
  withAgent(async ({peer}) => {
    for (const signal of [6, 9, 11, 15]) {
      expect(await peer.run(`kill -${signal} $$; sleep 9`)).toMatchObject({code: undefined, signal});
    }
  }));

test('tells why a command does not start', () =>
  withAgent(async ({peer}) => {
    const plain = makeFile('plain', 'echo no', 0o644);
    const binary = makeFile('binary', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]), 0o755);
    const orphan = makeFile('orphan', '#!/no/such/interpreter\n', 0o755);
    const cases: [string, number, number][] = [
      ['/no/such', 127, errno.ENOENT],
      ['no-such-command', 127, errno.ENOENT],
      ['', 127, errno.ENOENT],
      [orphan, 127, errno.ENOENT],
      [plain, 126, errno.EACCES],
      [folder, 126, errno.EACCES],
      [`${plain}/x`, 126, errno.ENOTDIR],
      [binary, 126, errno.ENOEXEC],
    ];
    for (const [file, code, error] of cases) {
      const exit = await peer.exec([file]).exit;
      expect(exit).toMatchObject({code, errno: error, reason: `execve: ${file}`});
    }
  }));

test('tells that an argument is too long', () =>
  withAgent(async ({peer}) => {
    const exit = await peer.exec(['echo', 'x'.repeat(300_000)]).exit;
    expect(exit).toMatchObject({code: 126, errno: errno.E2BIG});
  }));

test('fails on a folder or user that does not exist', () =>
  withAgent(async ({peer}) => {
    expect(await peer.run('true', [[Tag.cwd, '/no/such']])).toMatchObject({
      code: 125,
      errno: errno.ENOENT,
      reason: 'chdir: /no/such',
    });
    for (const [user, error] of [
      ['no-such-user', errno.ENOENT],
      ['root:no-such-group', errno.ENOENT],
      ['', errno.EINVAL],
      [':0', errno.EINVAL],
      ['4294967295', errno.ENOENT],
      ['-1', errno.ENOENT],
    ] as const) {
      const exit = await peer.run('true', [[Tag.user, user]]);
      expect(exit).toMatchObject({code: 125, errno: error, reason: `user: ${user}`});
    }
  }));

test('searches the PATH that the command gets, and runs a script without #!', () =>
  withAgent(async ({peer}) => {
    const script = makeFile('script', 'echo "script $0 $1"', 0o755);
    const session = peer.exec(['script', 'x'], [[Tag.env, `PATH=/no/such:${folder}`]]);
    expect((await session.exit).code).toBe(0);
    expect(session.stdout).toBe(`script ${script} x\n`);
  }));

test.runIf(process.getuid?.() === 0)('becomes the user, with groups and home', () =>
  withAgent(async ({peer}) => {
    const id = 'id -u; id -g; id -G; echo $HOME';
    const lines = async (user: string) => (await peer.run(id, [[Tag.user, user]])).stdout.split('\n');
    expect(await lines('daemon')).toMatchObject(['1', '1', '1', '/usr/sbin', '']);
    expect(await lines('1')).toMatchObject(['1', '1', '1', '/usr/sbin', '']);
    expect(await lines('daemon:adm')).toMatchObject(['1', '4', '4', '/usr/sbin', '']);
    expect(await lines('12345:23456')).toMatchObject(['12345', '23456', '23456', '/', '']);
    expect(await lines('54321')).toMatchObject(['54321', '0', '0', '/', '']);
    expect((await lines('root')).slice(0, 2)).toEqual(['0', '0']);
  }),
);

test('gives a child a blank process: no signals blocked or ignored, no files, its own session', () =>
  withAgent(async ({peer}) => {
    const {stdout} = await peer.run(
      'grep -E "^Sig(Blk|Ign)" /proc/self/status; ls /proc/self/fd; umask; cat /proc/self/oom_score_adj;' +
        ' cut -d " " -f 1,5,6 /proc/$$/stat',
    );
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual(['SigBlk:\t0000000000000000', 'SigIgn:\t0000000000000000']);
    /* 3 is the directory that ls reads. */
    expect(lines.slice(2, 8)).toEqual(['0', '1', '2', '3', '0022', '0']);
    const [pid, group, session] = (lines[8] ?? '').split(' ');
    expect([group, session]).toEqual([pid, pid]);
  }));

test(
  'serves 1000 sessions one after the other without growing',
  () =>
    withAgent(async ({peer, process: child}) => {
      const files = async () =>
        Number(
          (
            await peer.run(`ls /proc/${child.pid}/fd | wc -l; grep VmRSS /proc/${child.pid}/status`)
          ).stdout.split('\n')[0],
        );
      const before = await files();
      for (let i = 0; i < 50; i++) {
        const exits = await Promise.all(Array.from({length: 20}, () => peer.exec(['true']).exit));
        expect(exits.every(({code}) => code === 0)).toBe(true);
      }
      await eventually(files).toBe(before);
    }),
  120_000,
);

test('runs 64 sessions at once', () =>
  withAgent(async ({peer}) => {
    const sessions = Array.from({length: 64}, (_, i) => peer.sh(`read line; echo "$line ${i}"; exit ${i}`));
    await Promise.all(sessions.map((session, i) => session.end(`hello ${i}\n`)));
    for (const [i, session] of sessions.entries()) {
      expect((await session.exit).code).toBe(i);
      expect(session.stdout).toBe(`hello ${i} ${i}\n`);
    }
  }));

test(
  'refuses more than 512 sessions at once, and goes on',
  () =>
    withAgent(async ({peer}) => {
      const sessions = Array.from({length: 513}, () => peer.exec(['cat']));
      expect(await sessions.at(-1)?.exit).toMatchObject({code: 125, errno: errno.EAGAIN});
      for (const session of sessions.slice(0, -1)) await session.end();
      for (const session of sessions.slice(0, -1)) expect((await session.exit).code).toBe(0);
      expect((await peer.run('true')).code).toBe(0);
    }),
  60_000,
);
