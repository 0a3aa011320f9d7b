import {execFileSync} from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent, jsonLines, startAgent} from '../support/agent.js';
import {errorOf} from '../support/refusal.js';
import {describeTree} from '../support/trees.js';
import {until} from '../support/until.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();
const folder = mkdtempSync(join(tmpdir(), 'agent-cp-'));
const vm = (args: readonly string[], input?: Buffer): Promise<AgentResult> =>
  agent(['vm', ...args], {
    state,
    cwd: folder,
    env: {AGENT_LAUNCHER: 'qemu'},
    ...(input ? {input} : {}),
    timeoutMs: 150_000,
  });
const cp = (...words: readonly string[]): Promise<AgentResult> => vm(['cp', ...words]);
const exec = async (cmd: string): Promise<string> =>
  (await vm(['exec', '--vm', 'one', '--cmd', cmd])).stdout.toString();
const events = ({stdout}: AgentResult): Record<string, unknown>[] => jsonLines(stdout.toString());

beforeAll(async () => {
  mkdirSync(join(folder, 'src/deep'), {recursive: true, mode: 0o755});
  writeFileSync(join(folder, 'src/run'), '#!/bin/sh\necho ran\n', {mode: 0o755});
  writeFileSync(join(folder, 'src/deep/note'), 'note', {mode: 0o600});
  symlinkSync('run', join(folder, 'src/link'));
  await vm(['create', '--language', 'python', '--name', 'one']);
});
afterAll(async () => {
  await vm(['clean', '--all']);
  rmSync(folder, {recursive: true});
});

describe('vm cp', () => {
  it('boots the VM, and copies a folder into it with modes and links', async () => {
    const copied = await cp('src', 'one:/srv');
    expect([copied.code, copied.stderr]).toEqual([0, '']);
    expect(events(copied)).toMatchObject([
      {
        message: 'vm copied',
        source: 'src',
        target: 'one:/srv',
        files: 3,
        directories: 2,
        bytes: 23,
        skipped: 0,
      },
    ]);
    expect(await exec('/srv/src/link; stat -c %a /srv/src/deep/note; stat -c %U /srv/src/run')).toBe(
      'ran\n600\nroot\n',
    );
  });

  it('copies a folder out, without links, and says so', async () => {
    const copied = await cp('one:/srv/src', 'back');
    expect(copied.code).toBe(0);
    expect(copied.events).toMatchObject([{level: 'warn', message: expect.stringContaining('1 links')}]);
    const {link: _, ...expected} = describeTree(join(folder, 'src'));
    expect(describeTree(join(folder, 'back'))).toEqual(expected);
  });

  it('copies a file out of a folder that only links lead to, and from /proc', async () => {
    expect((await cp('one:/etc/os-release', '.')).code).toBe(0);
    expect(readFileSync(join(folder, 'os-release'), 'utf8')).toContain('PRETTY_NAME');
    const version = await cp('one:/proc/version', '-');
    expect(version.stdout.toString()).toContain('Linux version');
    expect(version.events).toMatchObject([{message: 'vm copied', target: '-'}]);
  });

  it('pipes bytes in and out, and tar streams', async () => {
    const bytes = Buffer.from(Array.from({length: 3_000_000}, (_, at) => (at * 31) & 0xff));
    expect((await vm(['cp', '-', 'one:/tmp/bytes'], bytes)).code).toBe(0);
    expect((await cp('one:/tmp/bytes', '-')).stdout.equals(bytes)).toBe(true);
    const {stdout} = await cp('one:/srv/src', '-');
    const listed = execFileSync('tar', ['t'], {input: stdout, encoding: 'utf8'});
    expect(listed.trim().split('\n').sort()).toEqual(['src/', 'src/deep/', 'src/deep/note', 'src/run']);
  });

  it('tells what is wrong, with 2 where nothing was done and 1 for the guest', async () => {
    const refused = await Promise.all([
      cp('none', 'one:/srv'),
      cp('one:/srv', 'missing/x'),
      cp('a', 'b'),
      cp('src', 'two:/srv'),
      cp('one:/etc', 'one:/srv'),
      cp('src'),
      cp('src', 'one:/srv', '--max-size', '0.00001'),
      cp('one:/none', 'x'),
      cp('src', 'one:/none/x'),
    ]);
    expect(refused.map(({code}) => code)).toEqual([2, 2, 2, 2, 2, 2, 2, 1, 1]);
    expect(refused.map((one) => errorOf(one).code).slice(6)).toEqual([
      'USAGE',
      'GUEST_FAILED',
      'GUEST_FAILED',
    ]);
    expect(readdirSync(folder).sort()).toEqual(['back', 'os-release', 'src']);
  });

  it('leaves nothing half-made where it is interrupted, and the VM can be used', async () => {
    await exec('truncate -s 800M /srv/large; truncate -s 30G /srv/huge');
    const bounded = await cp('one:/srv/huge', 'huge');
    expect([bounded.code, errorOf(bounded).message]).toEqual([
      1,
      expect.stringContaining('2147483648 bytes'),
    ]);
    mkdirSync(join(folder, 'into'));
    const copying = startAgent(['vm', 'cp', 'one:/srv/large', 'into'], {state, cwd: folder});
    const sizeSoFar = (): number =>
      readdirSync(join(folder, 'into'), {recursive: true, encoding: 'utf8'})
        .map((name) => statSync(join(folder, 'into', name)).size)
        .reduce((sum, size) => sum + size, 0);
    const ended = new Promise((resolve) => copying.once('close', resolve));
    await until('some of it is here', () => sizeSoFar() > 1_000_000, 60_000);
    copying.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(readdirSync(join(folder, 'into'))).toEqual([]);
    expect(await exec('echo still here')).toBe('still here\n');
  });

  it('says when the disk of this machine is full, and leaves nothing on it', async () => {
    const small = join(folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'agent-test', small]);
    try {
      const copied = await cp('one:/srv/large', 'small');
      expect([copied.code, errorOf(copied).code]).toEqual([1, 'DISK_FULL']);
      expect(readdirSync(small)).toEqual([]);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('leaves nothing of a VM that is cleaned', async () => {
    await vm(['clean', '--vm', 'one']);
    expect(await leftoversOf(state)).toEqual(nothing);
    const gone = await cp('one:/srv', 'x');
    expect([gone.code, errorOf(gone).code]).toEqual([2, 'VM_NOT_FOUND']);
  });
});
