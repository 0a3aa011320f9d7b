import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually} from './eventually.ts';
import type {Peer, Session} from './peer.ts';
import {withAgent} from './stdio-agent.ts';
import {initialCredit, type Row, Tag, terminalSize} from './wire.ts';

const terminal: Row = [Tag.terminal, terminalSize(31, 97)];
const onTerminal = (peer: Peer, script: string, rows: readonly Row[] = []) =>
  peer.sh(script, [terminal, ...rows]);

/** Everything that was printed, once it ends with these characters. */
const printed = (session: Session, text: string) => eventually(() => session.stdout).toContain(text);

test('gives the command a terminal of its size, as its streams and to control', () =>
  withAgent(async ({peer}) => {
    const session = onTerminal(
      peer,
      'tty; stty size; for i in 0 1 2; do test -t $i && echo $i; done; echo error >&2; echo control >/dev/tty; ' +
        "cut -d ' ' -f 1,5,6,8 /proc/$$/stat; ls /proc/$$/fd",
    );
    expect((await session.exit).code).toBe(0);
    const lines = session.stdout.split('\r\n');
    expect(lines[0]).toMatch(/^\/dev\/pts\/\d+$/);
    expect(lines.slice(1, 7)).toEqual(['31 97', '0', '1', '2', 'error', 'control']);
    const [pid, ...others] = (lines[7] ?? '').split(' ');
    /* Its group and session; the foreground group is that of cut. */
    expect(others.slice(0, 2)).toEqual([pid, pid]);
    expect((lines[8] ?? '').split(/\s+/)).toEqual(['0', '1', '2']);
    expect(session.stderr).toBe('');
  }));

test('takes no rows or columns for 24 and 80', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('stty size', [[Tag.terminal, terminalSize(0, 0)]]);
    await session.exit;
    expect(session.stdout).toBe('24 80\r\n');
  }));

test('echoes, cooks lines and ends at STDIN_EOF', () =>
  withAgent(async ({peer}) => {
    const session = peer.exec(['cat'], [terminal]);
    await session.write('one\rtwx\x7fo\n');
    await printed(session, 'two\r\n');
    await session.end('half');
    expect((await session.exit).code).toBe(0);
    expect(session.stdout.replace('\b \b', '')).toBe('one\r\ntwxo\r\none\r\ntwo\r\nhalfhalf');
  }));

test('ends a command that reads at STDIN_EOF alone', () =>
  withAgent(async ({peer}) => {
    const session = peer.exec(['cat'], [terminal]);
    await session.end();
    expect((await session.exit).code).toBe(0);
  }));

test('interrupts with Ctrl-C, and tells of it', () =>
  withAgent(async ({peer}) => {
    const session = peer.exec(['sleep', '1000'], [terminal]);
    await session.write('\x03');
    expect((await session.exit).signal).toBe(2);
    expect(session.stdout).toBe('^C');
  }));

test('tells a full-screen program of a new size', () =>
  withAgent(async ({peer}) => {
    const session = onTerminal(
      peer,
      'trap "stty size; exit 7" WINCH; echo ready; while :; do sleep 0.05; done',
    );
    await printed(session, 'ready');
    await session.resize(50, 132);
    expect((await session.exit).code).toBe(7);
    expect(session.stdout).toBe('ready\r\n50 132\r\n');
    const piped = peer.sh('sleep 0.1; exit 3');
    await piped.resize(1, 1);
    expect((await piped.exit).code).toBe(3);
    await session.resize(1, 1);
    await peer.ping();
  }));

test('runs a shell with job control', () =>
  withAgent(async ({peer}) => {
    const session = peer.exec(
      ['bash', '--norc', '-i'],
      [terminal, [Tag.env, 'PS1=> '], [Tag.env, 'TERM=dumb'], [Tag.env, `PATH=${process.env.PATH}`]],
    );
    await printed(session, '> ');
    expect(session.stdout).not.toContain('no job control');
    await session.write('cat\r');
    await printed(session, 'cat\r\n');
    await session.write('\x1a');
    await printed(session, 'Stopped');
    await session.write('fg\r');
    await printed(session, 'fg\r\ncat\r\n');
    await session.write('again\r');
    await printed(session, 'again\r\nagain\r\n');
    await session.write('\x03');
    await printed(session, '^C\r\n> ');
    await session.write('exit 7\r');
    expect((await session.exit).code).toBe(7);
  }));

test('edits and saves a file in vi', () =>
  withAgent(async ({peer}) => {
    const folder = mkdtempSync(join(tmpdir(), 'guest-agent-'));
    try {
      const session = onTerminal(peer, 'TERM=xterm exec vi text', [[Tag.cwd, folder]]);
      await printed(session, '~');
      await session.write('ihello there\x1b');
      await session.write(':wq\r');
      expect((await session.exit).code).toBe(0);
      expect(readFileSync(join(folder, 'text'), 'utf8')).toBe('hello there\n');
    } finally {
      rmSync(folder, {recursive: true, force: true});
    }
  }));

test('sends the last output of a command whole, then EXIT', () =>
  withAgent(async ({peer}) => {
    for (let i = 0; i < 30; i++) {
      const session = onTerminal(peer, 'printf %60000d 1; printf last');
      expect((await session.exit).code).toBe(0);
      expect(session.stdout.length).toBe(60_004);
      expect(session.stdout.endsWith('1last')).toBe(true);
    }
  }));

test('carries much output, within credit', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('head -c 3000000 /dev/zero', [terminal], {autoCredit: false});
    await eventually(() => session.outputCredit.stdout).toBe(0);
    await peer.ping();
    expect(session.stdout.length).toBe(initialCredit);
    await session.giveCredit('stdout', 3_000_000);
    expect((await session.exit).code).toBe(0);
    expect(session.stdout.length).toBe(3_000_000);
  }));

test('ends though processes hold the terminal, and hangs it up for them', () =>
  withAgent(async ({peer}) => {
    const folder = mkdtempSync(join(tmpdir(), 'guest-agent-'));
    try {
      /* What is in the foreground when its shell ends gets SIGHUP; the others cannot use the terminal any more. */
      const background = `(trap '' HUP; while echo noise; do sleep 0.02; done; echo over >${folder}/over) 2>/dev/null &`;
      const session = onTerminal(
        peer,
        `(trap 'echo hup >${folder}/hup; exit' HUP; while :; do sleep 0.05; done) & ${background} sleep 0.3; exit 5`,
      );
      expect((await session.exit).code).toBe(5);
      expect(session.stdout).toContain('noise');
      await eventually(() => readFileSync(join(folder, 'hup'), {encoding: 'utf8', flag: 'a+'})).toBe('hup\n');
      await eventually(() => readFileSync(join(folder, 'over'), {encoding: 'utf8', flag: 'a+'})).toBe(
        'over\n',
      );
    } finally {
      rmSync(folder, {recursive: true, force: true});
    }
  }));

test('keeps a terminal that nobody has open, for who opens it again', () =>
  withAgent(async ({peer}) => {
    const session = onTerminal(
      peer,
      'exec 3>/dev/tty; t=$(tty); exec 3>&- <&- >&- 2>&-; sleep 0.2; exec <$t >$t; read line; echo "got $line"',
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await session.write('word\n');
    expect((await session.exit).code).toBe(0);
    expect(session.stdout).toContain('got word');
  }));

test('holds back input that nobody reads, and loses none of it', () =>
  withAgent(async ({peer}) => {
    const lines = 'line of text\n'.repeat(20_000);
    const session = onTerminal(peer, 'stty -echo; echo ready; sleep 0.5; wc -c');
    await printed(session, 'ready');
    await session.end(lines);
    expect((await session.exit).code).toBe(0);
    expect(session.stdout.split('\r\n')[1]).toBe(String(lines.length));
  }));

test('lets Ctrl-C through to a command that reads nothing', () =>
  withAgent(async ({peer}) => {
    const session = onTerminal(peer, 'stty -echo; echo ready; sleep 1000');
    await printed(session, 'ready');
    await session.write('line of text\n'.repeat(12_000));
    await session.write('\x03');
    expect((await session.exit).signal).toBe(2);
  }));

test.runIf(process.getuid?.() === 0)('gives the terminal to the user of the command', () =>
  withAgent(async ({peer}) => {
    const session = onTerminal(peer, 'stat -c "%u %a" $(tty); echo there >$(tty); id -u', [
      [Tag.user, 'daemon'],
    ]);
    expect((await session.exit).code).toBe(0);
    expect(session.stdout).toBe('1 620\r\nthere\r\n1\r\n');
  }),
);
