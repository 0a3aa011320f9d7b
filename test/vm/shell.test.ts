/** The shell of one VM, at a real terminal. */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {agent, executable} from '../support/agent.js';
import {openTmux, PROMPT, type Tmux} from '../support/tmux.js';
import {until} from '../support/until.js';
import {useState} from '../support/vm-state.js';

const state = useState();
const GUEST = /^root@\S+:\/# ?$/m;

/** Runs `agent vm shell` and notes its process. */
const STARTUP = `
shell() { sh -c 'echo $$ >"$AGENT_STATE_DIR/pid"; exec node ${executable} vm shell --vm sh "$@"' sh "$@"; }`;

let tmux: Tmux;
let modes: string;
let vm: string;

beforeAll(async () => {
  const flags = ['--language', 'python', '--launcher', 'qemu', '--name', 'sh'];
  const {stdout} = await agent(['vm', 'create', ...flags], {state});
  vm = String(JSON.parse(stdout.toString()).id);
});
afterAll(async () => {
  await agent(['vm', 'clean', '--all'], {state});
});

/** The host's prompt on an empty screen of 80 by 24. */
beforeEach(async () => {
  tmux = openTmux({env: {AGENT_STATE_DIR: state.path, NO_COLOR: '1'}, startup: STARTUP});
  await until('an empty screen', () => tmux.screen() === PROMPT);
  modes = tmux.modes();
});
afterEach(() => tmux.end());

const enter = async (flags = ''): Promise<void> => {
  tmux.type(`shell ${flags}`, 'Enter');
  await tmux.seen(GUEST, 60_000);
};

/** Types a line to whichever shell has the terminal. */
const run = async (line: string, sees: string | RegExp): Promise<void> => {
  tmux.type(line, 'Enter');
  await tmux.seen(sees);
};

/** The exit code, and that nothing of the guest is left of the terminal. */
const expectBack = async (code: number): Promise<string> => {
  // The modes come first, then the last words, then the prompt.
  const isBack = (): boolean => /^host>$/m.test(tmux.screen()) && tmux.modes() === modes;
  await until('the modes are given back', isBack, 30_000);
  await run('echo "code $?"', `code ${code}`);
  const flags = '#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_flag} #{keypad_cursor_flag}';
  expect(tmux.format(flags)).toBe('0 1 0 0 0');
  expect(tmux.modes()).toBe(modes);
  return tmux.screen();
};
const leave = async (code = 0): Promise<void> => {
  tmux.type(`exit ${code}`, 'Enter');
  await expectBack(code);
};
const processOfShell = (): number => Number(readFileSync(join(state.path, 'pid'), 'utf8'));

describe('the shell of a VM', () => {
  it('is bash, and knows the terminal and its size', async () => {
    await enter();
    expect(tmux.screen()).toContain(`${vm}: ctrl-] detaches`);
    await run('echo "$SHELL $TERM $LANG $HOME $((40 + 2))"; tty', /^\/bin\/bash \S+ C.UTF-8 \/root 42$/m);
    await run('stty size', '24 80');
    tmux.resize(100, 30);
    await run('stty size', '30 100');
    await leave(7);
  });

  it('gets Ctrl-C, which ends what runs and not the shell', async () => {
    await enter();
    tmux.type('sleep 100', 'Enter');
    await until('sleep runs', async () => (await inGuest('pidof sleep')) !== '');
    tmux.type('', 'C-c');
    await run('echo "was $?"', 'was 130');
    tmux.type('yes "a flood of lines"', 'Enter');
    await tmux.seen(/^(a flood of lines\n){9}/m); // not only what was typed
    tmux.type('', 'C-c');
    await run('clear; echo "was $?"', 'was 0');
    tmux.type('', 'C-d');
    await expectBack(0);
  });

  it('lets vi edit and save a file, and other full-screen programs draw and quit', async () => {
    await enter();
    tmux.type('vi /tmp/edited', 'Enter');
    await tmux.seen('~\n~');
    expect(tmux.format('#{alternate_on}')).toBe('1');
    tmux.type('isome text', 'Escape');
    tmux.type(':wq', 'Enter');
    await until('the first screen', () => tmux.format('#{alternate_on}') === '0');
    await run('cat /tmp/edited', /^some text$/m);
    tmux.type('less /etc/services', 'Enter');
    await tmux.seen('/etc/services');
    tmux.type('q');
    await run('clear; top', 'PID USER');
    tmux.type('q');
    await run('clear', GUEST);
    await leave();
  });

  it('goes on without a terminal when ctrl-] is typed, and is entered again', async () => {
    await enter();
    await run('here=kept; vi /tmp/other', '~\n~');
    tmux.type('ihalf a word', 'C-]');
    expect(await expectBack(0)).toContain(`${vm}: detached; back with: agent vm shell --vm ${vm}`);
    tmux.type('clear; shell', 'Enter');
    await tmux.seen('half a word'); // vi has drawn itself anew
    tmux.type('', 'Escape');
    tmux.type(':wq', 'Enter');
    await run('', GUEST);
    await run('echo "$here: $(cat /tmp/other)"', 'kept: half a word');
    tmux.type('', 'C-]');
    await expectBack(0);
    tmux.type('clear', 'Enter');
    await enter('--new');
    await run('echo "here is [$here]"', 'here is []');
    await leave();
    await enter();
    expect(tmux.screen()).toMatch(/back in the shell left \d+ s ago/);
    // To be drawn anew, what runs there is told of another size first.
    await run(
      'until stty size | grep "24 80"; do sleep 0.1; done; echo "here is [$here]"',
      '24 80\nhere is [kept]',
    );
    await leave();
  });

  it('is any command, with its quotes', async () => {
    tmux.type(`shell --env WORD=three --cmd 'printf "%s|" "a b" '"'c  d'"' "$WORD"; echo; exit 9'`, 'Enter');
    await tmux.seen('a b|c  d|three|');
    await expectBack(9);
  });

  it('takes a pasted text of 64 KiB, byte for byte', async () => {
    const text = Array.from({length: 1024}, (_, line) => `${line} `.padEnd(63, 'x')).join('\n');
    tmux.type(`shell --cmd 'stty -echo; echo ready; cat >/tmp/pasted; md5sum </tmp/pasted'`, 'Enter');
    await tmux.seen(/^ready$/m);
    tmux.paste(`${text}\n`);
    tmux.type('', 'C-d');
    await tmux.seen(createHash('md5').update(`${text}\n`).digest('hex'), 60_000);
    await expectBack(0);
  });

  it('shows a flood byte for byte, also where the output is no terminal', async () => {
    const file = join(state.path, 'flood');
    const make =
      'stty -opost; head -c 6M /dev/urandom >/tmp/flood; base64 /tmp/flood; md5sum </tmp/flood >/tmp/sum';
    tmux.type(`shell --cmd '${make}' | tee ${file} | tail -c 80; echo done`, 'Enter');
    await tmux.seen(/^done$/m, 120_000);
    expect(tmux.modes()).toBe(modes);
    const flood = Buffer.from(readFileSync(file, 'latin1'), 'base64');
    expect(flood.length).toBe(6 * 1024 ** 2);
    expect(await inGuest('cat /tmp/sum')).toContain(createHash('md5').update(flood).digest('hex'));
  });

  it('ends at its deadline', async () => {
    tmux.type(`shell --timeout 2 --cmd 'trap "" HUP TERM INT; vi /tmp/late; sleep 100'`, 'Enter');
    await tmux.seen('timed out', 60_000);
    await expectBack(124);
    expect(await inGuest('pidof vi sleep')).toBe('');
  });

  it('ends with the command line, whatever is on the screen', async () => {
    await enter();
    await run('vi /tmp/cut', '~\n~');
    process.kill(processOfShell(), 'SIGTERM');
    await expectBack(143);
    await until('nothing of it is left', async () => (await inGuest('pidof vi')) === '');
  });

  it('is stopped and continued with the command line', async () => {
    await enter();
    process.kill(processOfShell(), 'SIGTSTP');
    await until('the modes are given back', () => tmux.modes() === modes);
    tmux.type('fg', 'Enter');
    await until('raw modes', () => tmux.modes() !== modes);
    await run('echo "again $((40 + 2))"', 'again 42');
    await leave();
  });

  it('without a terminal takes standard input, and keeps the streams apart', async () => {
    const input = 'cat; echo "$0"; tty >&2; exit 5\nthe rest\n';
    const result = await agent(['vm', 'shell', '--vm', 'sh'], {state, input});
    expect(result.stdout.toString()).toBe('the rest\n/bin/bash\n');
    expect(result.code).toBe(5);
    expect(result.stderr).toContain('not a tty\n');
    expect(result.events).toEqual([
      expect.objectContaining({message: 'vm shell', vm, language: 'python', shell: 'auto'}),
      expect.objectContaining({message: 'vm shell failed', vm, exit_code: 5, origin: 'guest'}),
    ]);
  });

  it('without a terminal is a pipe for bytes', async () => {
    const input = Buffer.from(Array.from({length: 300_000}, (_, index) => index % 251));
    const result = await agent(['vm', 'shell', '--vm', 'sh', '--cmd', 'cat'], {state, input});
    expect(result.code).toBe(0);
    expect(result.stdout.equals(input)).toBe(true);
  });

  it('names what it cannot run', async () => {
    const missing = await agent(['vm', 'shell', '--vm', 'nope'], {state});
    expect(missing).toMatchObject({code: 2, events: [{code: 'VM_NOT_FOUND'}]});
    const none = await agent(['vm', 'shell'], {state});
    expect(none).toMatchObject({code: 2, events: [{code: 'USAGE'}]});
  });

  it('ends with the VM, and says why', async () => {
    await enter();
    await run('vi /tmp/lost', '~\n~');
    const {stdout} = await agent(['vm', 'inspect', '--vm', 'sh'], {state});
    process.kill(Number(JSON.parse(stdout.toString()).pid), 'SIGKILL');
    expect(await expectBack(125)).toContain('error: ');
  });
});

const inGuest = async (command: string): Promise<string> => {
  const {stdout} = await agent(['vm', 'exec', '--vm', 'sh', '--cmd', command], {state});
  return stdout.toString();
};
