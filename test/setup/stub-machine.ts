/** A machine made of stubs in a temporary folder: what scripts/linux/setup.sh sees instead of this one. */
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
import {join, resolve} from 'node:path';
import {whereIs} from './where-is.js';

const script = resolve('scripts/linux/setup.sh');
const BASE = 'bash cat cut dirname env grep mktemp rm sed sort tail tr'.split(' ');

/** Which programs each package brings. */
const packages: Readonly<Record<string, string>> = {
  'qemu-system-x86': 'qemu-system-x86_64',
  'qemu-system-arm': 'qemu-system-aarch64',
  buildah: 'buildah',
  'erofs-utils': 'mkfs.erofs',
  e2fsprogs: 'mkfs.ext4',
  mmdebstrap: 'mmdebstrap',
  'xz-utils': 'xz',
  zstd: 'zstd',
  uidmap: 'newuidmap',
  gcc: 'gcc',
  'musl-tools': 'musl-gcc',
  procps: 'ps',
  tmux: 'tmux',
};
const KRUNVM = {krunvm: 'krunvm'};

export interface StubMachineOptions {
  readonly uid?: number;
  readonly machine?: string;
  readonly osId?: string;
  readonly osLike?: string;
  readonly installed?: readonly string[];
  /** `none`: not there; `asks`: wants a password. */
  readonly sudo?: 'works' | 'asks' | 'none';
  /** Whether the package lists name the packages before any update. */
  readonly lists?: 'fresh' | 'empty';
  /** How many installations fail before one succeeds. */
  readonly failures?: number;
  readonly subuid?: string;
  /** `/dev/kvm` as this user sees it; without it there is none. */
  readonly kvm?: 'open' | 'not for me' | 'for root only';
  /** Groups of the account; `session`: of this process. */
  readonly groups?: {readonly account: string; readonly session: string};
  /** Whether apt knows krunvm. */
  readonly packagesKrunvm?: boolean;
}

export const everyProgram = (machine = 'x86_64'): string[] => [
  ...Object.values(packages).filter((name) => !name.startsWith('qemu-')),
  `qemu-system-${machine}`,
];

export const createStubMachine = (options: StubMachineOptions = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'setup-'));
  const at = {
    folder,
    bin: join(folder, 'bin'),
    log: join(folder, 'log'),
    subuid: join(folder, 'subuid'),
    kvm: join(folder, 'kvm'),
    osRelease: join(folder, 'os-release'),
  };
  mkdirSync(at.bin);
  for (const name of BASE) symlinkSync(whereIs(name), join(at.bin, name));
  for (const [name, body] of Object.entries(programsOf(at, options))) {
    writeFileSync(join(at.bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(at.bin, name), 0o755);
  }
  if (options.lists !== 'empty') writeFileSync(join(folder, 'lists'), '');
  if (options.kvm) writeFileSync(at.kvm, '');
  const {osId = 'debian', osLike = ''} = options;
  writeFileSync(at.osRelease, `ID=${osId}\nID_LIKE="${osLike}"\n`);
  writeFileSync(at.subuid, options.subuid ?? 'tester:100000:65536\n');
  return {
    /** Runs setup.sh with no terminal. */
    run: (...args: string[]) => {
      const result = spawnSync(join(at.bin, 'bash'), [script, ...args], {
        encoding: 'utf8',
        input: '',
        env: {
          PATH: at.bin,
          AGENT_SBIN: at.bin,
          AGENT_OS_RELEASE: at.osRelease,
          AGENT_SUBUID: at.subuid,
          AGENT_KVM: at.kvm,
          TMPDIR: folder,
        },
      });
      return {code: result.status, stdout: result.stdout, stderr: result.stderr};
    },
    /** Every call that would have changed the machine, in order. */
    calls: () => (existsSync(at.log) ? readFileSync(at.log, 'utf8').trim().split('\n') : []),
    remove: () => rmSync(folder, {recursive: true}),
  };
};

interface Places {
  readonly folder: string;
  readonly bin: string;
  readonly log: string;
  readonly subuid: string;
}

/** The programs of the machine, as the bodies of shell scripts. */
const programsOf = (at: Places, options: StubMachineOptions): Record<string, string> => {
  const {uid = 0, machine = 'x86_64', sudo = 'none', kvm, packagesKrunvm = false, failures = 0} = options;
  const {account, session} = options.groups ?? {account: 'tester', session: 'tester'};
  return {
    ...Object.fromEntries((options.installed ?? []).map((name) => [name, 'exit 0'])),
    id: `case $1$2 in -un) echo tester;; -nG) echo ${session};; -nGtester) echo ${account};; *) echo ${uid};; esac`,
    uname: `echo ${machine}`,
    test: `exit ${Number(kvm !== 'open')}`,
    stat: `echo ${kvm === 'for root only' ? '600 root' : '660 kvm'}`,
    usermod: `echo "usermod $*" >> ${at.log}; echo tester:100000:65536 >> ${at.subuid}`,
    'apt-get': aptGet({...at, failures}),
    'apt-cache': `
[ -e ${at.folder}/lists ] && [ "$2${Number(packagesKrunvm)}" != krunvm0 ] && version=1.0
echo "  Candidate: \${version:-(none)}"`,
    ...(sudo === 'none' ? {} : {sudo: sudoStub(at.log, sudo === 'works')}),
  };
};

const aptGet = (at: {log: string; folder: string; bin: string; failures: number}): string => `
echo "apt-get $* [$DEBIAN_FRONTEND]" >> ${at.log}
case " $* " in
  *' update '*) : > ${at.folder}/lists; exit 0;;
esac
tries=$(cat ${at.folder}/tries 2>/dev/null || echo 0)
echo $((tries + 1)) > ${at.folder}/tries
[ "$tries" -ge ${at.failures} ] || { echo 'E: no space on mirror'; exit 100; }
for name in "$@"; do
  case $name in
${Object.entries({...packages, ...KRUNVM})
  .map(
    ([name, program]) =>
      `    ${name}) printf '#!/bin/sh\\n' > ${at.bin}/${program}; /bin/chmod 755 ${at.bin}/${program};;`,
  )
  .join('\n')}
  esac
done`;

const sudoStub = (log: string, works: boolean): string => `
[ "$1" = -n ] && shift
[ "$*" = true ] && exit ${works ? 0 : 1}
echo "sudo $*" >> ${log}
exec "$@"`;
