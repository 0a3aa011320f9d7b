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
const BASE = 'bash cat cut env grep mktemp rm sed sort tail tr'.split(' ');

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
};

export interface StubMachineOptions {
  readonly uid?: number;
  readonly machine?: string;
  readonly osId?: string;
  readonly installed?: readonly string[];
  /** `none`: not there; `asks`: wants a password. */
  readonly sudo?: 'works' | 'asks' | 'none';
  /** Whether the package lists name the packages before any update. */
  readonly lists?: 'fresh' | 'empty';
  /** How many installations fail before one succeeds. */
  readonly failures?: number;
  readonly subuid?: string;
}

export const everyProgram = (machine = 'x86_64'): string[] => [
  ...Object.values(packages).filter((name) => !name.startsWith('qemu-')),
  `qemu-system-${machine}`,
];

export const createStubMachine = (options: StubMachineOptions = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'setup-'));
  const bin = join(folder, 'bin');
  const log = join(folder, 'log');
  const subuid = join(folder, 'subuid');
  mkdirSync(bin);
  const stub = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  for (const name of BASE) symlinkSync(whereIs(name), join(bin, name));
  for (const name of options.installed ?? []) stub(name, 'exit 0');
  const uid = options.uid ?? 0;
  stub('id', `case $1 in -un) echo tester;; *) echo ${uid};; esac`);
  stub('uname', `echo ${options.machine ?? 'x86_64'}`);
  stub('usermod', `echo "usermod $*" >> ${log}; echo tester:100000:65536 >> ${subuid}`);
  stub('apt-get', aptGet({log, folder, bin, failures: options.failures ?? 0}));
  stub('apt-cache', `[ -e ${folder}/lists ] && echo "  Candidate: 1.0" || echo "  Candidate: (none)"`);
  if (options.lists !== 'empty') writeFileSync(join(folder, 'lists'), '');
  if (options.sudo && options.sudo !== 'none') stub('sudo', sudo(log, options.sudo === 'works'));
  writeFileSync(join(folder, 'os-release'), `ID=${options.osId ?? 'debian'}\n`);
  writeFileSync(subuid, options.subuid ?? 'tester:100000:65536\n');
  return {
    /** Runs setup.sh with no terminal. */
    run: (...args: string[]) => {
      const result = spawnSync(join(bin, 'bash'), [script, ...args], {
        encoding: 'utf8',
        input: '',
        env: {
          PATH: bin,
          AGENT_SBIN: bin,
          AGENT_OS_RELEASE: join(folder, 'os-release'),
          AGENT_SUBUID: subuid,
          TMPDIR: folder,
        },
      });
      return {code: result.status, stdout: result.stdout, stderr: result.stderr};
    },
    /** Every call that would have changed the machine, in order. */
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    remove: () => rmSync(folder, {recursive: true}),
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
${Object.entries(packages)
  .map(
    ([name, program]) =>
      `    ${name}) printf '#!/bin/sh\\n' > ${at.bin}/${program}; /bin/chmod 755 ${at.bin}/${program};;`,
  )
  .join('\n')}
  esac
done`;

const sudo = (log: string, works: boolean): string => `
[ "$1" = -n ] && shift
[ "$*" = true ] && exit ${works ? 0 : 1}
echo "sudo $*" >> ${log}
exec "$@"`;
