/** Folders that are shared with a guest: which ones, for which VMs, and that nothing of ours follows what is in them. */
import {execFileSync} from 'node:child_process';
import {lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import {failureOf, IMAGE, type RunOptions, useKrunvm} from './krunvm-fixture.js';
import {isRoot, leftoversOf, nothing} from './krunvm-traces.js';

const fixture = useKrunvm();
const {state, run, exec, stop, create} = fixture;
const volumes = (value: string): RunOptions => ({env: {AGENT_ENABLE_GUEST_VOLUMES: value}});
const folderOf = (id: string, ...rest: readonly string[]): string => join(state.path, 'vms', id, ...rest);

describe('AGENT_ENABLE_GUEST_VOLUMES', () => {
  it('=1 shares /in and /out with a new VM, which keeps them whatever it says later', async () => {
    const id = await create([], volumes('1'));
    const [input, command] = [join(state.path, 'input'), 'cat /in/* && echo result > /out/result'];
    writeFileSync(input, 'over the channel\n');
    const args = ['vm', 'exec', '--vm', id, '--file', input, '--cmd', command];
    writeFileSync(folderOf(id, 'shared', 'in', 'by-hand'), 'shared\n');
    for (const value of ['1', '0']) {
      await stop(id);
      const {code, stdout} = await run(args, volumes(value));
      expect({code, stdout: stdout.toString()}).toEqual({code: 0, stdout: 'shared\nover the channel\n'});
    }
    expect(readFileSync(folderOf(id, 'shared', 'in', 'input'), 'utf8')).toBe('over the channel\n');
    expect(readFileSync(folderOf(id, 'shared', 'out', 'result'), 'utf8')).toBe('result\n');
    expect(readFileSync(folderOf(id, 'out', 'result'), 'utf8')).toBe('result\n');
  });

  it('=0 shares nothing, not even when it is 1 later', async () => {
    const id = await create([], volumes('0'));
    const result = await exec(id, 'echo result > /out/result', volumes('1'));
    expect(result.code).toBe(0);
    expect(readdirSync(folderOf(id))).not.toContain('shared');
    expect(readFileSync(folderOf(id, 'out', 'result'), 'utf8')).toBe('result\n');
  });

  it('=yes is refused', async () => {
    const result = await run(['vm', 'create', '--image', IMAGE, '--name', 'refused'], volumes('yes'));
    expect(result.code).toBe(2);
    expect(failureOf(result)).toMatchObject({code: 'USAGE', message: "AGENT_ENABLE_GUEST_VOLUMES is 'yes'."});
    expect((await run(['vm', 'list', '--all', '-q'])).stdout.toString()).not.toContain('refused');
  });
});

describe('what a guest leaves in a shared folder', () => {
  const [secret, precious] = [join(state.path, 'secret'), join(state.path, 'precious')];
  let id = '';
  beforeAll(async () => {
    writeFileSync(secret, 'secret');
    mkdirSync(precious);
    writeFileSync(join(precious, 'file'), 'precious');
    id = await create(['--persist'], volumes('1'));
    const links = `for d in /in /out /persist; do ln -s ${secret} $d/link; ln -s ${precious} $d/folder; done`;
    const modes = 'cp /bin/id /out/setuid; chmod 6755 /out/setuid; ln -s / /out/root';
    const names = `echo x > "$(printf '/out/\\033[2Jname\\n')"; mkdir -p /out/deep/er; echo y > /out/deep/er/file`;
    expect((await exec(id, `${links}; ${modes}; ${names}; echo plain > /out/plain`)).code).toBe(0);
    // Others' guests may make what the double's may not.
    const shared = folderOf(id, 'shared', 'out');
    if (isRoot) execFileSync('mknod', [join(shared, 'device'), 'b', '1', '0']);
    execFileSync('mkfifo', [join(shared, 'pipe')]);
  });

  it('comes back as plain files and folders only', async () => {
    expect((await exec(id, 'true')).code).toBe(0);
    const out = folderOf(id, 'out');
    const names = readdirSync(out, {recursive: true, encoding: 'utf8'}).sort();
    expect(names).toEqual(['\x1b[2Jname', 'deep', 'deep/er', 'deep/er/file', 'plain', 'setuid']);
    const stats = names.map((name) => lstatSync(join(out, name)));
    expect(stats.filter((stat) => !stat.isFile() && !stat.isDirectory())).toEqual([]);
    expect(stats.filter(({mode}) => (mode & 0o7000) !== 0)).toEqual([]);
  });

  it('leads no file of ours elsewhere', async () => {
    const link = join(state.path, 'link');
    writeFileSync(link, 'from the host\n');
    const {code, stdout} = await run(['vm', 'exec', '--vm', id, '--file', link, '--cmd', 'cat /in/link']);
    expect({code, stdout: stdout.toString()}).toEqual({code: 0, stdout: 'from the host\n'});
    expect(readFileSync(secret, 'utf8')).toBe('secret');
  });

  it('is removed with the VM, and nothing that it leads to', async () => {
    expect((await run(['vm', 'clean', '--all'])).code).toBe(0);
    expect(leftoversOf(state)).toEqual(nothing);
    expect(readFileSync(secret, 'utf8')).toBe('secret');
    expect(readdirSync(precious)).toEqual(['file']);
  });
});

describe('a state directory with a colon in its path', () => {
  const other = useKrunvm('agent-krunvm:');

  it('serves VMs that share nothing', async () => {
    const id = await other.create();
    const {code, stdout} = await other.exec(id, 'echo works');
    expect({code, stdout: stdout.toString()}).toEqual({code: 0, stdout: 'works\n'});
  });

  it('cannot be shared', async () => {
    const result = await other.run(['vm', 'create', '--image', IMAGE, '--persist']);
    expect(result.code).toBe(1);
    expect(failureOf(result)).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: expect.stringContaining('colon'),
      hint: expect.stringContaining('AGENT_STATE_DIR'),
    });
    expect((await other.run(['vm', 'clean', '--all'])).code).toBe(0);
    expect(leftoversOf(other.state)).toEqual(nothing);
  });
});
