import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {buildCli, buildGuestAgent, requireNode, setUp} from '../../scripts/prepare/prepare.mjs';
import {createScreen} from '../../scripts/prepare/screen.mjs';
import {createTree} from './temp-tree.js';

const placeAt = (root: string) => {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  return {root, screen: createScreen({write}, {}), shown: () => text};
};
const runs = (root: string): number =>
  existsSync(join(root, 'runs')) ? readFileSync(join(root, 'runs'), 'utf8').split('\n').length - 1 : 0;

describe('buildGuestAgent', () => {
  const build =
    '#!/bin/sh\necho $1 >> "$(dirname "$0")/../runs"\nmkdir -p "$2" && echo elf > "$2/agent-$1"\n';

  it('builds once, and again only when a source changed or the program is gone', async () => {
    const place = placeAt(createTree({'guest/build.sh': build, 'guest/main.c': 'int main;'}));
    await buildGuestAgent(place);
    await buildGuestAgent(place);
    expect(runs(place.root)).toBe(1);
    writeFileSync(join(place.root, 'guest/main.c'), 'int main(void);');
    await buildGuestAgent(place);
    expect(runs(place.root)).toBe(2);
    rmSync(join(place.root, 'dist/guest'), {recursive: true});
    await buildGuestAgent(place);
    expect(runs(place.root)).toBe(3);
  });

  it('fails with the words of the compiler and how to mend it', async () => {
    const place = placeAt(
      createTree({'guest/build.sh': '#!/bin/sh\necho "main.c:1: error: no" >&2\nexit 3\n'}),
    );
    await expect(buildGuestAgent(place)).rejects.toMatchObject({
      exitCode: 1,
      lines: ['main.c:1: error: no'],
      mend: expect.stringContaining('compiler'),
    });
  });
});

describe('buildCli', () => {
  it('builds when sources changed, and says nothing when they did not', async () => {
    const script =
      "import {appendFileSync, mkdirSync, writeFileSync} from 'node:fs';\nappendFileSync('runs', 'x\\n'); mkdirSync('dist', {recursive: true}); writeFileSync('dist/main.js', '');";
    const place = placeAt(createTree({'scripts/build.mjs': script, 'src/main.ts': ''}));
    await buildCli(place);
    const shown = place.shown();
    expect(shown).toContain('Build');
    await buildCli(place);
    expect(runs(place.root)).toBe(1);
    expect(place.shown()).toBe(shown);
    writeFileSync(join(place.root, 'src/main.ts'), 'export {};');
    await buildCli(place);
    expect(runs(place.root)).toBe(2);
  });
});

describe('setUp', () => {
  const cli = (body: string) =>
    placeAt(createTree({'bin/run.js': body, 'package.json': '{"type": "module"}'}));

  it('asks agent setup for every language and stays silent when it reports no work', async () => {
    const place = cli(
      "import {writeFileSync} from 'node:fs'; writeFileSync('argv', process.argv.slice(2).join(' '));",
    );
    await setUp(place, ['python', 'ruby']);
    expect(readFileSync(join(place.root, 'argv'), 'utf8')).toBe(
      'setup --yes --no-boot --log-format pretty --language python --language ruby',
    );
    expect(place.shown()).toBe('');
  });

  it('shows a step where there was something to do', async () => {
    const place = cli("console.error('building the python image');");
    await setUp(place, ['python']);
    expect(place.shown()).toContain('✔ Guest kernel and images (python)');
  });

  it('keeps pictures of a progress line out of an error', async () => {
    const body =
      "process.stderr.write('\\r\\u001b[2K⠋ building (3 s)\\r\\u001b[2Kerror: no\\n'); process.exitCode = 1;";
    await expect(setUp(cli(body), ['python'])).rejects.toMatchObject({lines: ['error: no']});
  });
});

describe('requireNode', () => {
  for (const version of ['20.19.0', '20.20.2', '24.0.0']) {
    it(`takes ${version}`, () => expect(requireNode(version)).toBeUndefined());
  }
  for (const version of ['18.20.0', '20.18.3']) {
    it(`refuses ${version}`, () => expect(() => requireNode(version)).toThrow('too old'));
  }
});
