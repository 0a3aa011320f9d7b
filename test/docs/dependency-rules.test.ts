import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {readonly rule: {readonly name: string}}[];
    readonly ruleSetUsed: {readonly forbidden: readonly {readonly name: string}[]};
  };
}

/** What dependency-cruiser finds in `src` of a folder, by the rules of this repository. */
const cruise = (folder: string): Cruise['summary'] => {
  const program = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = ['--config', resolve('.dependency-cruiser.cjs'), '--output-type', 'json', 'src'];
  const json = execFileSync(process.execPath, [program, ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  });
  return (JSON.parse(json) as Cruise).summary;
};

/** For each rule a file that breaks it, and what it imports. */
const offenders: Readonly<Record<string, readonly [file: string, imports: string]>> = {
  'no-cycles': ['src/image/layout.ts', './publish.js'],
  'no-orphans': ['src/model/unused.ts', ''],
  'model-imports-nothing': ['src/model/vm-id.ts', '../vm/reap.js'],
  flags: ['src/flags/size.ts', '../render/table.js'],
  commands: ['src/commands/vm/stop.ts', '../../state/vm-store.js'],
  'nobody-imports-a-command': ['src/commands/vm/clean.ts', './stop.js'],
  edge: ['src/base-command.ts', './image/publish.js'],
  vm: ['src/vm/run-in-vm.ts', '../render/table.js'],
  setup: ['src/setup/set-up.ts', '../vm/reap.js'],
  'launcher-contract': ['src/launcher/launcher.ts', '../guest/connect.js'],
  'launcher-common': ['src/launcher/common/host.ts', '../qemu/boot.js'],
  'launcher-krunvm': ['src/launcher/krunvm/boot.ts', '../qemu/boot.js'],
  'launcher-qemu': ['src/launcher/qemu/probe.ts', '../../vm/reap.js'],
  guest: ['src/guest/connect.ts', '../process/run.js'],
  state: ['src/state/lock.ts', '../process/run.js'],
  render: ['src/render/error.ts', '../state/vm-store.js'],
  monitor: ['src/monitor/relay.ts', '../render/table.js'],
  'monitor-main': ['src/monitor-main.ts', './render/table.js'],
  'template-maker': ['src/template-maker/mark.ts', '../render/table.js'],
  'template-main': ['src/template-main.ts', './render/table.js'],
  terminal: ['src/terminal/stty.ts', '../render/table.js'],
  image: ['src/image/pull.ts', '../state/vm-store.js'],
  containers: ['src/containers/settings.ts', '../image/layout.js'],
  process: ['src/process/identity.ts', '../guest/guest.js'],
  'execa-in-process': ['src/vm/a.ts', 'execa'],
  'drawing-in-render': ['src/vm/b.ts', 'chalk'],
  'lmdb-in-state': ['src/vm/c.ts', 'lmdb'],
  'zod-where-files-are-read': ['src/vm/d.ts', 'zod'],
  'esbuild-for-typescript': ['src/vm/e.ts', 'esbuild'],
  'no-files-and-processes-in-commands': ['src/commands/vm/list.ts', 'node:fs'],
  'children-through-process': ['src/vm/f.ts', 'node:child_process'],
  'oclif-at-the-edge': ['src/vm/g.ts', '@oclif/core'],
};

/** What the offenders import, and imports nothing itself, but for the other half of the cycle. */
const innocents = {
  'src/image/publish.ts': './layout.js',
  'src/vm/reap.ts': '',
  'src/render/table.ts': '',
  'src/state/vm-store.ts': '',
  'src/launcher/qemu/boot.ts': '',
  'src/guest/guest.ts': '',
  'src/process/run.ts': '',
};

const folder = mkdtempSync(join(tmpdir(), 'rules-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const write = (path: string, imported: string): void => {
  const file = join(folder, path);
  mkdirSync(dirname(file), {recursive: true});
  writeFileSync(file, imported === '' ? 'export {};\n' : `import '${imported}';\n`);
};

describe('the rules on who may import whom', () => {
  it('hold for src, and see it', () => {
    const {totalCruised, violations} = cruise('.');
    expect(totalCruised).toBeGreaterThan(30);
    expect(violations).toEqual([]);
  });

  it('each find what breaks them', () => {
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    symlinkSync(resolve('tsconfig.json'), join(folder, 'tsconfig.json'));
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    for (const [path, imported] of Object.entries(innocents)) write(path, imported);
    for (const [path, imported] of Object.values(offenders)) write(path, imported);
    const {violations, ruleSetUsed} = cruise(folder);
    const rules = ruleSetUsed.forbidden.map(({name}) => name);
    expect(Object.keys(offenders).toSorted()).toEqual(rules.toSorted());
    expect(rules.filter((name) => violations.every(({rule}) => rule.name !== name))).toEqual([]);
  });
});
