import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {openTmux, PROMPT, type Tmux} from '../support/tmux.js';
import {until} from '../support/until.js';

const program = resolve('test/terminal/hold-and-end.ts');

let tmux: Tmux;
let modes: string;
beforeAll(async () => {
  tmux = openTmux({env: {}});
  await tmux.seen(PROMPT);
  modes = tmux.modes();
});
afterAll(() => tmux.end());

/** Until keys are taken; returns the process's id. */
const hold = async (): Promise<number> => {
  tmux.type(`node --import tsx ${program} wait`, 'Enter');
  const screen = await tmux.seen('on another screen');
  await until('raw modes', () => tmux.modes() !== modes, 10_000);
  return Number(/pid (\d+)/.exec(screen)?.[1]);
};

const flags = (): string => tmux.format('#{alternate_on} #{cursor_flag} #{mouse_any_flag}');
const expectGivenBack = async (): Promise<void> => {
  await until('the screen is given back', () => flags() === '0 1 0', 10_000);
  expect(tmux.modes()).toBe(modes);
};

/** A clean line to look at: what was said before is gone. */
const clear = async (): Promise<void> => {
  tmux.type('clear', 'Enter');
  await until('an empty screen', () => tmux.screen() === PROMPT, 10_000);
};

describe('a terminal that is held is given back', () => {
  beforeEach(clear);

  it.each([
    ['exit', 3],
    ['throw', 1],
    ['reject', 1],
  ])('at the end of the process by: %s', async (how, code) => {
    tmux.type(`node --import tsx ${program} ${how}; echo "code $?"`, 'Enter');
    await tmux.seen(`code ${code}`);
    await expectGivenBack();
  });

  it('when the person goes, who can type everything else, and change the size', async () => {
    await hold();
    tmux.type('', 'C-c', 'C-s', 'C-z', 'C-q');
    await tmux.seen('3 13 1a 11');
    tmux.resize(90, 30);
    await tmux.seen('[30 90]');
    tmux.type('', 'C-]');
    await tmux.seen('left: detached');
    await expectGivenBack();
    tmux.type('', 'C-c');
  });

  it('while the process is stopped', async () => {
    const pid = await hold();
    const raw = tmux.modes();
    tmux.type('x');
    await tmux.seen(' 78');
    process.kill(pid, 'SIGTSTP');
    await until('the shell has it', () => tmux.modes() === modes, 10_000);
    tmux.type('fg', 'Enter');
    await until('raw modes again', () => tmux.modes() === raw, 10_000);
    tmux.type('y');
    await tmux.seen('79');
    tmux.type('q');
    await until('the modes are given back', () => tmux.modes() === modes, 10_000);
  });
});

const folder = mkdtempSync(join(tmpdir(), 'gone-'));
afterAll(() => rmSync(folder, {recursive: true}));

it('a terminal that goes ends the process with its own exit code', async () => {
  const said = join(folder, 'code');
  const going = openTmux({env: {}});
  try {
    await going.seen(PROMPT);
    going.type(`sh -c 'trap "" HUP; node --import tsx ${program} wait; echo $? >${said}'`, 'Enter');
    await going.seen('on another screen');
  } finally {
    going.end();
  }
  await until('the process has ended', () => existsSync(said) && readFileSync(said, 'utf8') !== '', 20_000);
  expect(readFileSync(said, 'utf8')).toBe('129\n');
});
