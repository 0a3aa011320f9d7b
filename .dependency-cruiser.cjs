/** Who may import whom: docs/architecture.md shows the same as a picture. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: {path: `^src/${from}/`},
  to: {path: '^src/', pathNot: [`^src/${from}/`, ...allowed.map((folder) => `^src/${folder}`)]},
});
/** The same for files that lie directly in a folder. */
const onlyFiles = (name, files, allowed) => ({
  name,
  severity: 'error',
  from: {path: `^src/${files}\\.ts$`},
  to: {path: '^src/', pathNot: allowed.map((folder) => `^src/${folder}`)},
});
const onlyImporter = (name, packages, importers) => ({
  name,
  severity: 'error',
  from: {path: '^src/', pathNot: importers.map((folder) => `^src/${folder}`)},
  to: {path: packages.map((pkg) => `node_modules/${pkg}/`)},
});

module.exports = {
  forbidden: [
    {name: 'no-cycles', severity: 'error', from: {}, to: {circular: true}},
    {
      name: 'no-orphans',
      severity: 'error',
      from: {orphan: true, path: '^src/', pathNot: '^src/commands/'},
      to: {},
    },
    only('model-imports-nothing', 'model', []),
    only('flags', 'flags', ['model/']),
    only('commands', 'commands', [
      'flags/',
      'vm/',
      'render/',
      'terminal/',
      'setup/',
      'base-command',
      'model/',
    ]),
    {
      name: 'nobody-imports-a-command',
      severity: 'error',
      from: {path: '^src/'},
      to: {path: '^src/commands/'},
    },
    onlyFiles('edge', '(base-command|main|interruption|usage-errors|gone-terminal)', [
      '(base-command|context|interruption|usage-errors|gone-terminal)\\.ts$',
      'flags/',
      'render/',
      'vm/vm-context',
      'model/',
    ]),
    only('vm', 'vm', ['model/', 'launcher/launcher', 'state/', 'image/image-store', 'guest/', 'monitor/']),
    only('monitor', 'monitor', ['guest/', 'process/', 'model/']),
    only('template-maker', 'template-maker', ['launcher/launcher', 'process/', 'model/', 'vm/vm-context']),
    onlyFiles('template-main', 'template-main', ['context', 'model/', 'process/', 'template-maker/', 'vm/']),
    onlyFiles('monitor-main', 'monitor-main', ['context', 'model/', 'monitor/', 'vm/']),
    only('setup', 'setup', [
      'model/',
      'image/image-store',
      'launcher/launcher',
      'launcher/qemu/qemu-launcher',
      'process/',
      'vm/vm-context',
    ]),
    onlyFiles('launcher-contract', 'launcher/[^/]+', ['guest/guest', 'model/']),
    only('launcher-common', 'launcher/common', ['launcher/launcher', 'guest/', 'process/', 'model/']),
    only('launcher-krunvm', 'launcher/krunvm', [
      'launcher/(launcher|common/)',
      'containers/',
      'guest/',
      'process/',
      'model/',
    ]),
    only('launcher-qemu', 'launcher/qemu', ['launcher/(launcher|common/)', 'guest/', 'process/', 'model/']),
    only('guest', 'guest', ['model/']),
    only('state', 'state', ['model/']),
    only('render', 'render', ['model/']),
    only('terminal', 'terminal', ['model/', 'process/']),
    only('image', 'image', ['model/', 'process/', 'containers/']),
    only('containers', 'containers', ['model/', 'process/']),
    only('process', 'process', ['model/']),
    onlyImporter('execa-in-process', ['execa'], ['process/']),
    onlyImporter('drawing-in-render', ['chalk'], ['render/']),
    onlyImporter('lmdb-in-state', ['lmdb'], ['state/']),
    onlyImporter('zod-where-files-are-read', ['zod'], ['image/', 'launcher/']),
    onlyImporter('esbuild-for-typescript', ['esbuild'], ['vm/typescript']),
    {
      name: 'no-files-and-processes-in-commands',
      severity: 'error',
      from: {path: '^src/(commands|flags|model)/'},
      to: {dependencyTypes: ['core'], path: '^(node:)?(fs|child_process|net|http)(/|$)'},
    },
    {
      name: 'children-through-process',
      severity: 'error',
      // setup.sh asks questions, so it has our terminal, which process/ never gives.
      from: {path: '^src/', pathNot: '^src/(process/|setup/system-packages)'},
      to: {dependencyTypes: ['core'], path: '^(node:)?child_process$'},
    },
    onlyImporter('oclif-at-the-edge', ['@oclif'], ['commands/', 'flags/', 'base-command', 'main', 'render/']),
  ],
  options: {
    doNotFollow: {path: 'node_modules'},
    tsPreCompilationDeps: true,
    tsConfig: {fileName: 'tsconfig.json'},
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
