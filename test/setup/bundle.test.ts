import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import {buildCli, buildGuestAgent} from '../../scripts/prepare/prepare.mjs';
import {createScreen} from '../../scripts/prepare/screen.mjs';

const root = resolve('.');
const packageJson = JSON.parse(readFileSync('package.json', 'utf8'));

/** `src/commands/vm/list.ts` is `vm:list`. */
const commandIds = readdirSync('src/commands', {recursive: true, encoding: 'utf8'})
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replace(/\.ts$/, '').replaceAll('/', ':'))
  .sort();

const agent = (...args: string[]): string =>
  execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], {cwd: tmpdir(), encoding: 'utf8'});

beforeAll(async () => {
  const place = {root, screen: createScreen({write: () => {}}, {})};
  await buildGuestAgent(place);
  await buildCli(place);
});

describe('the built program', () => {
  it('lists every command in its manifest', () => {
    const manifest = JSON.parse(readFileSync('oclif.manifest.json', 'utf8'));
    expect(Object.keys(manifest.commands).sort()).toEqual(commandIds);
  });

  it('runs from any folder', () => {
    expect(agent('--version')).toContain(`/${packageJson.version} `);
    expect(agent('setup', '--help')).toContain('--dry-run');
  });

  it('swallows neither a compiler nor every language of zod', () => {
    const sizes = readdirSync('dist', {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFileSync(join('dist', name)).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2 * 1024 ** 2);
  });
});

describe('the npm package', () => {
  it('holds what it needs to run, and neither sources nor tests', () => {
    const json = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const files: string[] = JSON.parse(json)[0].files.map((file: {path: string}) => file.path);
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    for (const needed of [
      'LICENSE',
      'bin/run.js',
      'dist/main.js',
      `dist/guest/agent-${machine}`,
      'oclif.manifest.json',
      'scripts/linux/setup.sh',
      'scripts/macos/setup.sh',
      'scripts/macos/decisions.sh',
      'scripts/macos/steps.sh',
    ]) {
      expect(files).toContain(needed);
    }
    expect(files.filter((file) => /^(src|test|guest|\.ci)\/|\.stamp$|\.lock$|bin\/dev/.test(file))).toEqual(
      [],
    );
  });
});
