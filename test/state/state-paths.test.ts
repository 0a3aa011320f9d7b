import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {
  makePrivateFolder,
  type Places,
  refuseForeign,
  resolveStatePaths,
} from '../../src/state/state-paths.js';

const root = mkdtempSync(join(tmpdir(), 'paths-'));
afterAll(() => rmSync(root, {recursive: true, force: true}));

const places = (...writable: readonly string[]): Places => ({
  home: '/home/ann',
  tmp: '/tmp',
  canBeWritten: (folder) => writable.includes(folder),
  isOurs: (folder) => !folder.startsWith('/theirs'),
});

const everywhere = ['/var/lib/agent', '/home/ann/.config/agent', '/xdg/agent', '/home/ann/.agent'];

describe('the state directory', () => {
  it.each([
    ['AGENT_STATE_DIR before all', {AGENT_STATE_DIR: '/mine', XDG_CONFIG_HOME: '/xdg'}, everywhere, '/mine'],
    ['/var/lib/agent where it is writable', {XDG_CONFIG_HOME: '/xdg'}, everywhere, '/var/lib/agent'],
    ['$XDG_CONFIG_HOME/agent', {XDG_CONFIG_HOME: '/xdg'}, everywhere.slice(1), '/xdg/agent'],
    ['~/.config/agent', {}, everywhere.slice(1), '/home/ann/.config/agent'],
    [
      '~/.config/agent where XDG_CONFIG_HOME is empty',
      {XDG_CONFIG_HOME: ''},
      everywhere.slice(1),
      '/home/ann/.config/agent',
    ],
    ['~/.agent', {}, ['/home/ann/.agent'], '/home/ann/.agent'],
    [
      '~/.agent where $XDG_CONFIG_HOME cannot be written',
      {XDG_CONFIG_HOME: '/no'},
      ['/home/ann/.agent'],
      '/home/ann/.agent',
    ],
    ['a folder of its own in tmp', {}, [], '/tmp/agent-1234'],
    ['the same where AGENT_STATE_DIR is empty', {AGENT_STATE_DIR: ''}, [], '/tmp/agent-1234'],
  ])('is %s', (_, env, writable, expected) => {
    const paths = resolveStatePaths({env, uid: 1234}, places(...writable));
    expect(paths.root).toBe(expected);
    expect(paths.database).toBe(`${expected}/agent.mdb`);
  });

  it('is absolute even where AGENT_STATE_DIR is not', () => {
    expect(resolveStatePaths({env: {AGENT_STATE_DIR: 'state'}, uid: 0}, places()).root).toBe(
      join(process.cwd(), 'state'),
    );
  });

  it('is not made by asking for it', () => {
    const wanted = join(root, 'asked');
    resolveStatePaths({env: {AGENT_STATE_DIR: wanted, HOME: join(root, 'home')}, uid: 0});
    expect(existsSync(wanted)).toBe(false);
    expect(existsSync(join(root, 'home'))).toBe(false);
  });
});

describe('a folder of ours', () => {
  it('is made for its owner alone, with what is missing above it', () => {
    const folder = join(root, 'a', 'b');
    makePrivateFolder(folder, 0);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('keeps the mode it has', () => {
    const folder = join(root, 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    makePrivateFolder(folder, 0);
    expect(statSync(folder).mode & 0o777).toBe(0o755);
  });

  it.each([
    ['a file', () => writeFileSync(join(root, 'file'), ''), join(root, 'file')],
    ['below a file', () => writeFileSync(join(root, 'file2'), ''), join(root, 'file2', 'state')],
    ['in a place where nothing can be made', () => undefined, '/proc/agent/state'],
  ])('is refused where it is %s', (_, prepare, folder) => {
    prepare();
    expect(() => makePrivateFolder(folder, 0)).toThrow(expect.objectContaining({code: 'STATE_UNUSABLE'}));
  });
});

describe('the folder in tmp', () => {
  const uid = 123_456_789;
  const folder = join(tmpdir(), `agent-${uid}`);
  afterAll(() => rmSync(folder, {recursive: true, force: true}));

  it('is refused where somebody else has made it', () => {
    mkdirSync(folder);
    for (const use of [makePrivateFolder, refuseForeign]) {
      expect(() => use(folder, uid)).toThrow(/belongs to somebody else/);
    }
    rmSync(folder, {recursive: true});
  });

  it('is refused where it is a link', () => {
    symlinkSync(root, folder);
    expect(() => makePrivateFolder(folder, uid)).toThrow(/belongs to somebody else/);
    rmSync(folder);
  });

  it('may be missing for those who read', () => {
    expect(() => refuseForeign(folder, uid)).not.toThrow();
    expect(existsSync(folder)).toBe(false);
  });
});
