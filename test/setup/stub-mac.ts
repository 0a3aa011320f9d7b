/** A Mac made of stubs in a temporary folder: what scripts/macos/setup.sh sees instead of this machine. */
import {spawnSync} from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {whereIs} from './where-is.js';

const script = resolve('scripts/macos/setup.sh');
// What every Mac has; of each only what BSD's version can do too.
const BASE = 'awk bash cat chmod cut dirname grep mkdir mktemp mv rm sed sh tail tr'.split(' ');

export interface StubVolume {
  /** As `diskutil info` calls it: `Case-sensitive APFS`, `APFS`. */
  readonly filesystem: string;
  /** Its folder in /Volumes, or null where it is not mounted. */
  readonly mount: string | null;
}

const newMac = {
  machine: 'arm64',
  /** The terminal runs under Rosetta. */
  translated: false,
  version: '26.1',
  uid: 501,
  /** Where Homebrew is: in PATH, only in /opt/homebrew, nowhere, or the one for Intel. */
  brew: 'in PATH' as 'in PATH' | 'not in PATH' | 'none' | 'intel',
  /** Before 6, Homebrew knows no trust. */
  brewTrusts: true,
  /** Which subcommand of Homebrew fails. */
  brewFails: '',
  installed: [] as readonly string[],
  krunvmVersion: '0.2.6',
  /** Volumes besides the system's, by name. */
  volumes: {} as Readonly<Record<string, StubVolume>>,
  freeBytes: 100_000_000_000,
  addVolumeFails: false,
  /** Files in the home folder, by their paths. */
  home: {} as Readonly<Record<string, string>>,
};
type Mac = Readonly<typeof newMac>;
export type StubMacOptions = Partial<Mac>;

export const KRUNVM_CONFIG = 'Library/Preferences/rs.krunvm/krunvm.toml';

export const createStubMac = (options: StubMacOptions = {}) => {
  const mac: Mac = {...newMac, ...options};
  const at = makePlaces();
  makePrograms(at, mac);
  writeFileSync(join(at.plists, '_'), systemPlist(mac.freeBytes));
  for (const [name, volume] of Object.entries(mac.volumes)) addVolume(at, name, volume);
  for (const [path, content] of Object.entries(mac.home)) write(join(at.home, path), content);
  const env = {
    PATH: mac.brew === 'not in PATH' ? at.bin : `${at.bin}:${at.brewBin}`,
    HOME: at.home,
    TMPDIR: at.folder,
    AGENT_VOLUMES: at.volumes,
    AGENT_HOMEBREW: join(at.folder, 'homebrew'),
  };
  const start = (
    file: string,
    args: readonly string[],
    input: string,
    more: Readonly<Record<string, string>>,
  ) => {
    const {status, stdout, stderr} = spawnSync(file, args, {
      encoding: 'utf8',
      input,
      cwd: at.folder,
      env: {...env, ...more},
    });
    return {code: status, stdout, stderr};
  };
  return {
    home: at.home,
    volumes: at.volumes,
    path: (name: string) => join(at.folder, name),
    /** Runs setup.sh with no terminal; `shell` is what interprets it. */
    run: (shell: 'sh' | 'bash', args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
      start(join(at.bin, shell), [script, ...args], '', more),
    /** Runs setup.sh at a terminal, where somebody types this. */
    runAtTerminal: (typed: string) =>
      start(whereIs('script'), ['-qec', `sh ${script}`, '/dev/null'], typed, {SHELL: join(at.bin, 'sh')}),
    /** Every call that would have changed the Mac, in order. */
    calls: () => (existsSync(at.log) ? readFileSync(at.log, 'utf8').trim().split('\n') : []),
    read: (path: string) => readFileSync(join(at.home, path), 'utf8'),
    write: (path: string, content: string) => write(join(at.home, path), content),
    has: (path: string) => existsSync(join(at.home, path)),
    remove: () => rmSync(at.folder, {recursive: true}),
  };
};

const makePlaces = (): Places => {
  const folder = mkdtempSync(join(tmpdir(), 'mac-'));
  const at = {
    folder,
    // With a space, and with what a shell would take for more.
    home: join(folder, "Jo O'Neil"),
    bin: join(folder, 'bin'),
    brewBin: join(folder, 'homebrew', 'bin'),
    log: join(folder, 'log'),
    volumes: join(folder, 'Volumes'),
    plists: join(folder, 'plists'),
  };
  for (const made of [at.home, at.bin, at.brewBin, at.volumes, at.plists]) mkdirSync(made, {recursive: true});
  return at;
};

const makePrograms = (at: Places, mac: Mac): void => {
  for (const name of BASE) symlinkSync(whereIs(name), join(at.bin, name));
  const stubs = {
    uname: `case $1 in -m) echo ${mac.machine};; *) echo Darwin;; esac`,
    sysctl: `echo ${Number(mac.translated)}`,
    sw_vers: `echo ${mac.version}`,
    id: `case $1 in -un) echo jo;; *) echo ${mac.uid};; esac`,
    // The name of a volume stands for its device.
    df: `printf 'Filesystem 512-blocks Used Available Capacity Mounted on\\n/dev/%s 1 1 1 1%% x\\n' "\${2##*/}"`,
    diskutil: diskutil(at, mac.addVolumeFails),
  };
  for (const [name, body] of Object.entries(stubs)) stub(join(at.bin, name), body);
  const prefix = mac.brew === 'intel' ? '/usr/local' : join(at.folder, 'homebrew');
  const brewAt = mac.brew === 'not in PATH' ? at.brewBin : at.bin;
  if (mac.brew !== 'none') stub(join(brewAt, 'brew'), brew(at, prefix, mac));
  for (const name of mac.installed) stub(join(at.brewBin, name), 'exit 0');
  if (mac.installed.includes('krunvm')) for (const file of krunvmFiles) write(join(prefix, file), '');
};

const krunvmFiles = ['lib/libkrunfw.5.dylib', 'etc/containers/policy.json', 'etc/containers/registries.conf'];

const stub = (path: string, body: string): void => {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
};

const write = (path: string, content: string): void => {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, content);
};

interface Places {
  readonly folder: string;
  readonly home: string;
  readonly bin: string;
  readonly brewBin: string;
  readonly log: string;
  readonly volumes: string;
  readonly plists: string;
}

// The form of macOS 14: one element a line, keys in alphabetical order.
const plist = (entries: Readonly<Record<string, string | number>>): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<plist version="1.0">',
    '<dict>',
    ...Object.entries(entries).flatMap(([key, value]) => [
      `\t<key>${key}</key>`,
      typeof value === 'number' ? `\t<integer>${value}</integer>` : `\t<string>${value}</string>`,
    ]),
    '</dict>',
    '</plist>',
    '',
  ].join('\n');

const systemPlist = (free: number): string =>
  plist({APFSContainerFree: free, APFSContainerReference: 'disk3', FilesystemName: 'APFS', MountPoint: '/'});

const addVolume = (at: Places, name: string, {filesystem, mount}: StubVolume): void => {
  const folder = mount === null ? '' : join(at.volumes, mount);
  if (folder) mkdirSync(folder);
  const entries = {DeviceIdentifier: `disk9-${name}`, FilesystemName: filesystem, MountPoint: folder};
  writeFileSync(join(at.plists, name), plist(entries));
};

const diskutil = (at: Places, addVolumeFails: boolean): string => `
case "$1 $2" in
  'info -plist')
    name=\${3##*/}; name=\${name#disk9-}
    [ -e '${at.plists}'/"\${name:-_}" ] || { echo "Could not find disk: $3" >&2; exit 1; }
    cat '${at.plists}'/"\${name:-_}" ;;
  'apfs addVolume')
    echo "diskutil $*" >> '${at.log}'
    ${addVolumeFails ? "echo 'Error: -69493: You cannot add any more APFS Volumes' >&2; exit 1" : ''}
    mkdir '${at.volumes}'/"$5"
    printf '<dict>\\n\\t<key>DeviceIdentifier</key>\\n\\t<string>disk9-%s</string>\\n\\t<key>FilesystemName</key>\\n\\t<string>%s</string>\\n\\t<key>MountPoint</key>\\n\\t<string>%s</string>\\n</dict>\\n' "$5" "$4" '${at.volumes}'/"$5" > '${at.plists}'/"$5" ;;
  'mount '*)
    echo "diskutil $*" >> '${at.log}'
    name=\${2#disk9-}
    mkdir '${at.volumes}'/"$name"
    sed "s|<string></string>|<string>${at.volumes}/$name</string>|" '${at.plists}'/"$name" > '${at.plists}'/new
    mv '${at.plists}'/new '${at.plists}'/"$name" ;;
  *) exit 64 ;;
esac`;

const brew = (at: Places, prefix: string, mac: Mac): string => `
case $1 in
  --prefix) echo '${prefix}'; exit ;;
  command) exit ${Number(!mac.brewTrusts)} ;;
  list) [ -e '${at.brewBin}/krunvm' ] && echo "krunvm $(cat '${at.folder}/version' 2>/dev/null || echo ${mac.krunvmVersion})"; exit ;;
esac
echo "brew $*\${HOMEBREW_NO_ASK:+ [asks nothing]}" >> '${at.log}'
[ "$1" != '${mac.brewFails}' ] || { echo 'Error: no bottle available!' >&2; exit 1; }
case $1 in
  upgrade) echo 0.2.7 > '${at.folder}/version' ;;
  reinstall) mkdir -p '${prefix}/lib'; : > '${prefix}/lib/libkrunfw.5.dylib' ;;
  install)
    shift
    for name in "$@"; do
      printf '#!/bin/sh\n' > '${at.brewBin}'/"\${name##*/}"
      chmod 755 '${at.brewBin}'/"\${name##*/}"
    done
    # The library comes as a dependency; of the two files for buildah its formula brings one.
    mkdir -p '${prefix}/lib' '${prefix}/etc/containers'
    : > '${prefix}/lib/libkrunfw.5.dylib'
    : > '${prefix}/etc/containers/policy.json' ;;
esac`;
