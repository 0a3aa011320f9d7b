import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {
  createTreeProgress,
  mmdebstrapCommand,
  shellQuote,
  type TreePlan,
} from '../../src/image/mmdebstrap.js';
import {recipes} from '../../src/image/recipe.js';
import {recordProgress} from './record-progress.js';

const plan: TreePlan = {
  distribution: {
    name: 'debian-12',
    suite: 'bookworm',
    sources: ['deb http://mirror.test/debian bookworm main'],
  },
  recipe: recipes.python,
  packages: ['procps', 'python3'],
  target: '/state/tree',
  hooks: ['true "$1"'],
  aptOptions: [],
  mergedUsrHook: null,
};

describe('mmdebstrapCommand', () => {
  it('ends with the suite, the tree and the sources', () => {
    expect(mmdebstrapCommand(plan).slice(-3)).toEqual([
      'bookworm',
      '/state/tree',
      'deb http://mirror.test/debian bookworm main',
    ]);
  });

  it('prepares and checks the runtime inside the tree, after the hooks', () => {
    const hooks = mmdebstrapCommand(plan).filter((word) => word.startsWith('--customize-hook='));
    expect(hooks[0]).toBe('--customize-hook=true "$1"');
    expect(hooks[1]).toBe(
      `--customize-hook=chroot "$1" 'sh' '-c' 'rm -f /usr/lib/python3*/EXTERNALLY-MANAGED'`,
    );
    expect(hooks[2]).toContain(`chroot "$1" 'python' '-c' 'import ssl`);
  });

  it("leaves the host's proxy out of the image", () => {
    const option = 'Acquire::http::Proxy "http://proxy.test:3128";';
    const args = mmdebstrapCommand({...plan, aptOptions: [option], mergedUsrHook: '/hooks/x'});
    expect(args).toContain(`--aptopt=${option}`);
    expect(args).toContain('--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"');
    expect(args).toContain('--hook-dir=/hooks/x');
  });
});

it.each(["it's", 'a "b" $c `d` \\', '', '--x', 'ünï\nx'])('quotes %j for the shell', (word) => {
  const said = execFileSync('sh', ['-c', `printf %s ${shellQuote(word)}`], {encoding: 'utf8'});
  expect(said).toBe(word);
});

it('tells what is fetched, unpacked and set up', () => {
  const {progress, said} = recordProgress();
  const add = createTreeProgress(progress);
  add('I: running apt-get update...');
  add('Get:1 http://mirror.test/debian bookworm InRelease [151 kB]');
  add('Get:2 http://mirror.test/debian bookworm/main amd64 Packages [8790 kB]');
  add('Reading package lists...');
  add('Unpacking libpcre2-8-0:amd64 (10.42-1+deb12u2) ...');
  add('Setting up bash (5.2.15-2+b13) ...');
  add('I: running --customize-hook in shell: sh -c ...');
  expect(said).toEqual([
    'running apt-get update',
    'fetched 1 files',
    'fetched 2 files',
    'unpacking libpcre2-8-0:amd64',
    'setting up bash',
    'preparing the runtime',
  ]);
});
