import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent, jsonLines} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {describeTree} from '../support/trees.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();
const folder = mkdtempSync(join(tmpdir(), 'agent-files-'));
afterAll(() => rmSync(folder, {recursive: true}));

const vm = (...args: readonly string[]): Promise<AgentResult> =>
  agent(['vm', ...args], {state, timeoutMs: 170_000});

const create = async (...args: readonly string[]): Promise<string> => {
  const {stdout} = await vm('create', '--language', 'python', ...args);
  return String(jsonLines(stdout.toString())[0]?.id);
};

/** Runs a command and returns its standard output; anything on standard error is a failure. */
const said = async (...args: readonly string[]): Promise<string> => {
  const result = await vm(...args);
  expect(guestStderr(result)).toBe('');
  return result.stdout.toString();
};

const modes = [0o600, 0o644, 0o755, 0o400, 0o640];

/** 1,000 files in 20 folders, none like the other, each mode among them. */
const makeThousand = (): string => {
  const top = join(folder, 'thousand');
  for (let n = 0; n < 1_000; n += 1) {
    const parent = join(top, `folder ${n % 20}`);
    mkdirSync(parent, {recursive: true});
    const path = join(parent, `file-${n}`);
    writeFileSync(path, `${n}\n`.repeat((n * 7) % 50));
    chmodSync(path, modes[n % modes.length] ?? 0o644);
  }
  for (const name of readdirSync(top)) chmodSync(join(top, name), 0o755);
  return top;
};

describe('files', () => {
  it('go in and come back unchanged, a thousand of them, modes included', async () => {
    const top = makeThousand();
    const out = join(folder, 'back');
    const result = await vm(
      ...['temp', '--language', 'python', '--file', top, '--cmd', 'cp -a /in/thousand /out', '--out', out],
      ...['--timeout', '2m'],
    );
    expect(guestStderr(result)).toBe('');
    expect(describeTree(join(out, 'thousand'))).toEqual(describeTree(top));
    expect(result.events[1]?.out).toMatchObject({files: 1_000, directories: 21, skipped: 0});
  });

  it('keep their names, whatever is in them', async () => {
    const top = join(folder, 'names');
    mkdirSync(top);
    const names = [
      '-rf',
      '--',
      ' two  spaces ',
      'new\nline',
      'grün 日本 😀',
      '$(touch x)',
      '*',
      '\u001b[31mred',
    ];
    for (const name of [...names, 'x'.repeat(255), 'ü'.repeat(127)]) writeFileSync(join(top, name), name);
    const id = await create();
    const script = "import os; print(sorted(os.listdir('/in/names')) == sorted(os.listdir('/out/names')))";
    const command = `cp -a /in/names /out && python3 -c "${script}"`;
    const result = await vm('run', '--vm', id, '--file', top, '--cmd', command);
    expect(result.code).toBe(0);
    expect(describeTree(join(state.path, 'vms', id, 'out', 'names'))).toEqual(describeTree(top));
    await vm('clean', '--vm', id);
  });

  it('are in /workspace too, and the program can import those beside it', async () => {
    const helper = join(folder, 'helper.py');
    writeFileSync(helper, 'word = "imported"\n');
    const code = [
      'import helper, os',
      'print(helper.word, os.path.realpath("/workspace/in"), os.path.realpath("/workspace/out"),',
      '      os.path.realpath("/workspace/persist"), open("/workspace/in/helper.py").read(), end="")',
    ].join('\n');
    const stdout = await said('temp', '--language', 'python', '--file', helper, '--code', code);
    expect(stdout).toBe('imported /in /out /persist word = "imported"\n');
  });

  it('of which one cannot be copied are refused before there is a VM', async () => {
    const refused = await Promise.all([
      vm('temp', '--language', 'python', '--cmd', 'true', '--file', join(folder, 'missing')),
      vm('temp', '--language', 'python', '--file', folder),
      vm('temp', '--language', 'python', '--cmd', 'true', '--file', '/dev/null'),
    ]);
    expect(refused.map(({code}) => code)).toEqual([2, 2, 2]);
    expect(refused.map(({events}) => events.length)).toEqual([1, 1, 1]);
    expect(refused[0]?.events[0]?.message).toBe(`There is no file '${join(folder, 'missing')}'.`);
    expect(refused[1]?.events[0]?.message).toContain('is a folder');
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});

describe('/out of a hostile guest', () => {
  it('brings its files, and leaves links, devices and the like where they are', async () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'of the host');
    const out = join(folder, 'hostile');
    const command = [
      'cd /out && echo honest > honest && mkdir -p a/b && echo deep > a/b/deep',
      `ln -s ${secret} stdout.log && ln -s /etc/passwd passwd && ln -s ../../../../.. up && ln -s . self`,
      'ln honest hard && mkfifo fifo && mknod zero c 1 5 && mknod disk b 254 0',
      'mkdir "..." && echo dots > "...x" && printf x > "..\\\\up" && chmod 4755 honest && chmod 0 a/b/deep',
    ].join(' && ');
    const result = await vm('temp', '--language', 'python', '--cmd', command, '--out', out);
    expect(guestStderr(result)).toBe('');
    expect(result.code).toBe(0);
    const tree = describeTree(out);
    expect(Object.keys(tree).sort()).toEqual(
      ['...', '...x', '..\\up', 'a', 'a/b', 'a/b/deep', 'hard', 'honest'].sort(),
    );
    expect(tree.honest).toMatch(/^0755 /);
    expect(readFileSync(join(out, 'hard'), 'utf8')).toBe('honest\n');
    expect(result.events[1]?.out).toMatchObject({files: 5, skipped: 4});
    expect(readFileSync(secret, 'utf8')).toBe('of the host');
  });

  it('cannot turn a later run against the host by what it left', async () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'untouched');
    const file = join(folder, 'given');
    writeFileSync(file, 'given');
    const id = await create();
    const plant = `rm -rf /out /in/given; ln -s ${folder} /out; ln -s ${target} /in/given; ln -s ${target} /in/main.py`;
    await vm('run', '--vm', id, '--cmd', plant);
    const again = await vm('run', '--vm', id, '--file', file, '--cmd', 'cat /in/given; ls -ld /out');
    expect(again.code).toBe(0);
    expect(readFileSync(String(jsonLines(again.stdout.toString())[0]?.stdout), 'utf8')).toMatch(/^givend/);
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    await vm('clean', '--vm', id);
  });

  it('is refused whole where it is more than the limits, and what the command said stays', async () => {
    const id = await create();
    const run = await vm('run', '--vm', id, '--cmd', 'echo ran; truncate -s 10G /out/sparse');
    const [line] = jsonLines(run.stdout.toString());
    expect(run.code).toBe(125);
    expect(line).toMatchObject({message: 'vm run failed', code: 'GUEST_FAILED', origin: 'agent'});
    expect(JSON.stringify(line?.details)).toContain('bytes');
    expect(readFileSync(String(line?.stdout), 'utf8')).toBe('ran\n');
    await vm('clean', '--vm', id);
  });

  it('is refused whole where it holds too many files', async () => {
    const out = join(folder, 'too-many');
    const command = 'mount -t tmpfs -o nr_inodes=200k none /out; cd /out; seq 100001 | xargs touch; echo ran';
    const limits = ['--out', out, '--mem', '1G', '--timeout', '2m'];
    const result = await vm('temp', '--language', 'python', '--cmd', command, ...limits);
    expect(result.stdout.toString()).toBe('ran\n');
    expect(result.code).toBe(125);
    expect(result.events[1]).toMatchObject({code: 'GUEST_FAILED', origin: 'agent'});
    expect(JSON.stringify(result.events[1]?.details)).toContain('entries');
    expect(existsSync(out)).toBe(false);
  });
});

describe('variables of the environment', () => {
  it('come from the VM and from the command, whose own win', async () => {
    process.env.AGENT_TEST_INHERITED = 'from the test';
    const id = await create('--env', 'A=vm', '--env', 'B=vm', '--env', 'AGENT_TEST_INHERITED');
    const own = ['--env', 'B=own', '--env', 'C=with = and space', '--env', 'AGENT_TEST_UNSET'];
    const command = 'echo "$A|$B|$C|$AGENT_TEST_INHERITED|$AGENT_STATE_DIR|$HOME"; env | grep -c AGENT_';
    const stdout = await said('exec', '--vm', id, ...own, '--cmd', command);
    expect(stdout).toBe('vm|own|with = and space|from the test||/root\n1\n');
    await vm('clean', '--vm', id);
  });
});

describe('/persist', () => {
  it('outlives a stop and, if asked for, the VM; without that it is gone with it', async () => {
    const id = await create('--persist');
    const counted = 'echo run >> /persist/runs; wc -l < /persist/runs';
    expect(await said('exec', '--vm', id, '--cmd', counted)).toBe('1\n');
    await vm('stop', '--vm', id);
    expect(await said('exec', '--vm', id, '--cmd', counted)).toBe('2\n');
    await vm('clean', '--vm', id, '--keep-persist');
    expect(existsSync(join(state.path, 'vms', id))).toBe(false);
    expect(readdirSync(join(state.path, 'persist'))).toEqual([id]);
    await vm('clean', '--vm', id);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});
