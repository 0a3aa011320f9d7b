/** State directories, disks, outputs and images that cannot be used: told at once, and nothing is left behind. */
import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {makeTempFolder} from '../../src/containers/temp-folder.js';
import {ROOTFS_FILE} from '../../src/image/layout.js';
import {publishImage, publishReference} from '../../src/image/publish.js';
import {agent, executable, makeState, prepared, type StateFolder} from '../support/agent.js';
import {contentOf, errorOf} from '../support/refusal.js';

const folder = mkdtempSync(join(tmpdir(), 'bad-surroundings-'));
const state = makeState();
afterAll(() => {
  state.remove();
  rmSync(folder, {recursive: true, force: true});
});

const create = ['vm', 'create', '--language', 'python'];
const temp = ['vm', 'temp', '--language', 'python', '--cmd', 'true'];

describe('a state directory', () => {
  const commands: readonly (readonly [string, readonly string[], number])[] = [
    ['list', ['vm', 'list'], 1],
    ['create', create, 1],
    ['clean', ['vm', 'clean', '--all'], 1],
    ['temp', temp, 125],
    ['run', ['vm', 'run', '--vm', 'x', '--cmd', 'true'], 125],
  ];
  const damaged: StateFolder = {path: join(folder, 'damaged'), remove: () => {}};
  const aFile: StateFolder = {path: join(folder, 'file'), remove: () => {}};
  beforeAll(() => {
    mkdirSync(damaged.path);
    writeFileSync(join(damaged.path, 'agent.mdb'), Buffer.alloc(8_192, 'damage '));
    writeFileSync(aFile.path, '');
  });

  it.each(commands)('with a damaged database is refused by %s', async (_, args, code) => {
    const before = contentOf(damaged.path);
    const result = await agent(args, {state: damaged});
    expect(errorOf(result)).toMatchObject({code: 'STATE_CORRUPT', hint: expect.stringContaining('mv ')});
    expect(result).toMatchObject({code, signal: null});
    expect(result.stdout.toString()).toBe('');
    expect(contentOf(damaged.path)).toEqual(before);
  });

  it.each(commands)('that is a file is refused by %s', async (_, args, code) => {
    const result = await agent(args, {state: aFile});
    expect(errorOf(result)).toMatchObject({code: 'STATE_UNUSABLE', hint: expect.any(String)});
    expect(result).toMatchObject({code, signal: null});
    expect(statSync(aFile.path).size).toBe(0);
  });

  it.each(commands)('that may not be read is refused by %s', async (_, args, code) => {
    const path = join(folder, `private-${code}-${args[1]}`);
    mkdirSync(path);
    writeFileSync(join(path, 'agent.mdb'), '');
    chmodSync(path, 0);
    const {stdout, stderr, status} = asNobody(args, path);
    expect(JSON.parse(stderr.trim())).toMatchObject({code: 'STATE_UNUSABLE', hint: expect.any(String)});
    expect({status, stdout}).toEqual({status: code, stdout: ''});
  });
});

/** The same as root through another user, to whom modes apply; anybody else is one already. */
const asNobody = (args: readonly string[], stateDirectory: string) => {
  const [file = '', ...rest] = [
    ...(process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []),
    ...[process.execPath, executable, ...args],
  ];
  chmodSync(folder, 0o755);
  return spawnSync(file, rest, {
    encoding: 'utf8',
    env: {...process.env, HOME: '/nonexistent', AGENT_STATE_DIR: stateDirectory},
  });
};

describe('a full disk', () => {
  const FULL = 'head -c 50000000 /dev/zero > "$AGENT_STATE_DIR/fill" 2>/dev/null; ';

  it('is told before anything is made', () => {
    const {status, stdout, stderr, left} = onSmallDisk('64k', 'agent vm create --language python');
    expect(JSON.parse(stderr.trim())).toMatchObject({code: 'DISK_FULL', hint: expect.any(String)});
    expect({status, stdout, left}).toEqual({status: 1, stdout: '', left: []});
  });

  it.each([
    ['create, when its disk is made', '600k', 'agent vm create --language python', 1],
    [
      'create, on a disk that got full',
      '2m',
      `agent vm list; agent vm clean --vm x; ${FULL}agent vm create --language python`,
      1,
    ],
    [
      'temp, on a disk that got full',
      '2m',
      `agent vm clean --vm x; ${FULL}agent vm temp --language python --hello`,
      125,
    ],
  ])('is told by %s', (_, size, script, code) => {
    const {status, stderr, left} = onSmallDisk(size, script);
    expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({code: 'DISK_FULL'});
    expect({status, left}).toEqual({status: code, left: []});
  });

  it('ends a run whose output it cannot keep, and VMs can still be removed', () => {
    const script = `
      agent vm create --language python --name full > /dev/null || exit 9
      agent vm run --vm full --cmd "head -c 50000000 /dev/zero"; echo "run $?"
      ${FULL}
      agent vm clean --all > /dev/null; echo "clean $?"
      agent vm list --all -q`;
    const {stdout, left} = onSmallDisk('12m', script);
    const [run = '', ...rest] = stdout.trim().split('\n');
    expect(JSON.parse(run)).toMatchObject({message: 'vm run failed', code: 'DISK_FULL', exit_code: 125});
    expect({rest, left}).toEqual({rest: ['run 125', 'clean 0'], left: []});
  });
});

/** Runs a script beside a state directory on a disk of that size, which goes with the script's mount namespace. */
const onSmallDisk = (size: string, script: string) => {
  const path = mkdtempSync(join(folder, 'small-'));
  const set = `mount -t tmpfs -o size=${size} tmpfs "$AGENT_STATE_DIR" &&
    ln -s "$IMAGES" "$AGENT_STATE_DIR/images" && ln -s "$BOOT" "$AGENT_STATE_DIR/boot" || exit 99
    agent() { "$NODE" "$CLI" "$@"; }
    (${script}); status=$?
    cd "$AGENT_STATE_DIR" && find vms persist -mindepth 1 2> /dev/null | sed "s/^/left: /"
    exit $status`;
  const namespaces = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
  const result = spawnSync('unshare', [...namespaces, 'sh', '-c', set], {
    encoding: 'utf8',
    env: {
      ...process.env,
      AGENT_STATE_DIR: path,
      IMAGES: prepared.images,
      BOOT: prepared.boot,
      NODE: process.execPath,
      CLI: executable,
    },
  });
  const lines = result.stdout.split('\n');
  return {
    status: result.status,
    stderr: result.stderr,
    stdout: lines.filter((line) => !line.startsWith('left: ')).join('\n'),
    left: lines.filter((line) => line.startsWith('left: ')),
  };
};

describe('standard output', () => {
  const shell = (script: string) =>
    spawnSync('bash', ['-c', `agent() { "$NODE" "$CLI" "$@"; }; ${script}`], {
      encoding: 'utf8',
      env: {...process.env, AGENT_STATE_DIR: state.path, NODE: process.execPath, CLI: executable},
    });

  it.each(['vm list', 'vm list --json', 'image list', '--help'])(
    'that nobody reads ends %s quietly',
    (command) => {
      const {stdout, stderr} = shell(`agent ${command} | head -0; echo "\${PIPESTATUS[0]}"`);
      expect({stdout, stderr}).toEqual({stdout: '0\n', stderr: ''});
    },
  );

  it('that is full is an error', () => {
    const {status, stderr} = shell('agent vm list --json > /dev/full');
    expect(JSON.parse(stderr.trim())).toMatchObject({level: 'error', code: 'DISK_FULL'});
    expect(status).toBe(1);
  });
});

describe('an image without a shell', () => {
  const image: StateFolder = {path: join(folder, 'shell-less'), remove: () => {}};

  // All that the guest agent needs of an image is a root.
  beforeAll(async () => {
    mkdirSync(image.path);
    symlinkSync(prepared.boot, join(image.path, 'boot'));
    const imagesFolder = join(image.path, 'images');
    const tree = join(folder, 'tree');
    for (const name of ['dev', 'proc', 'sys', 'tmp', 'etc']) mkdirSync(join(tree, name), {recursive: true});
    const made = await makeTempFolder(imagesFolder);
    execFileSync('mkfs.erofs', [join(made, ROOTFS_FILE), tree], {stdio: 'ignore'});
    const config = {env: [], workdir: '/', user: ''};
    const digest = await publishImage({imagesFolder, folder: made, architecture: process.arch, config});
    await publishReference({imagesFolder, reference: 'localhost/bare:latest', digest, language: null});
    rmSync(made, {recursive: true, force: true});
  });

  it.each([
    ['a plain command', 'true'],
    ['a command that may be source', "echo 'x'"],
  ])('says so for %s', async (_, command) => {
    const result = await agent(['vm', 'temp', '--image', 'bare', '--cmd', command], {state: image});
    const failed = result.events.filter((event) => event.level === 'error');
    expect(failed).toHaveLength(1);
    expect(JSON.stringify(failed[0])).toMatch(/sh/);
    expect([125, 127]).toContain(result.code);
    expect(contentOf(join(image.path, 'vms'))).toEqual([]);
  });
});

it('a user id without a name is one as any other', () => {
  const {status, stdout, stderr} = spawnSync(
    'unshare',
    ['--user', '--map-user=54321', process.execPath, executable, 'vm', 'list', '--json'],
    {env: {PATH: process.env.PATH, AGENT_STATE_DIR: join(folder, 'nameless')}, encoding: 'utf8'},
  );
  expect({status, stdout, stderr}).toEqual({status: 0, stdout: '[]\n', stderr: ''});
});
