/** Who may import whom: docs/architecture.md shows the same as a picture. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: {path: `^src/${from}/`},
  to: {path: '^src/', pathNot: [`^src/${from}/`, ...allowed.map((folder) => `^src/${folder}`)]},
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
      'image/',
      'setup/',
      'doctor/',
      'context',
      'base-command',
      'model/',
    ]),
    only('vm', 'vm', ['model/', 'launcher/launcher', 'state/', 'image/', 'guest/', 'context']),
    only('launcher-krunvm', 'launcher/krunvm', [
      'launcher/launcher',
      'guest/',
      'image/',
      'process/',
      'model/',
    ]),
    only('launcher-qemu', 'launcher/qemu', ['launcher/launcher', 'guest/', 'image/', 'process/', 'model/']),
    only('guest', 'guest', ['model/']),
    only('state', 'state', ['model/']),
    only('render', 'render', ['model/']),
    only('image', 'image', ['model/', 'process/']),
    only('process', 'process', ['model/']),
    onlyImporter('execa-in-process', ['execa'], ['process/']),
    onlyImporter('drawing-in-render', ['chalk', 'cli-table3'], ['render/']),
    onlyImporter('lmdb-in-state', ['lmdb'], ['state/']),
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
