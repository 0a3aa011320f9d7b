/** A containers storage of the test's own with one small image: this machine's shell and a few of its programs. */
import {type ChildProcessWithoutNullStreams, execFileSync, spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type KrunvmFaults, whyNoKrunvm, withKrunvm} from '../support/krunvm.js';

const programs = 'sh cat ls sleep env id mount readlink date mknod hostname dd ln'.split(' ');
export const IMAGE = 'localhost/shell:1';

export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly faults?: KrunvmFaults;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What to run krunvm through. */
  readonly through?: readonly string[];
}

export interface ShellGuest {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly krunvm: (args: readonly string[], options?: RunOptions) => Promise<Run>;
  /** krunvm, running: `remove` ends it, if nothing has. */
  readonly spawn: (args: readonly string[], options?: RunOptions) => ChildProcessWithoutNullStreams;
  /** `krunvm start vm /bin/sh -c SCRIPT`; the script may hold no double quotes, as they do not survive the way. */
  readonly sh: (script: string, options?: RunOptions) => Promise<Run>;
  /** A script of the host in one mount namespace: what krunvm leaves mounted is there for its next commands. */
  readonly onHost: (script: string, options?: RunOptions) => Promise<Run>;
  readonly remove: () => void;
}

/** Without root all of it happens in `buildah unshare`, as krunvm demands; what that runs ends with it. */
export const asRoot: readonly string[] =
  process.getuid?.() === 0 ? [] : ['buildah', 'unshare', '--', 'setpriv', '--pdeathsig', 'KILL', '--'];
/** A mount namespace of its own: what krunvm leaves mounted goes with it. */
export const inNamespace = [...asRoot, 'unshare', '--mount', '--'];

export interface ShellGuestOptions {
  readonly driver?: 'overlay' | 'vfs';
  /** A program of the host, which gets the place of the guest agent. */
  readonly agent?: string;
}

/** With a VM named `vm`. */
export const makeShellGuest = async (options: ShellGuestOptions = {}): Promise<ShellGuest> => {
  const {driver = 'overlay', agent = '/bin/sh'} = options;
  const why = whyNoKrunvm();
  if (why !== undefined) throw new Error(why);
  const folder = mkdtempSync(join(tmpdir(), 'krunvm-double-'));
  const env = {
    ...process.env,
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  };
  writeFileSync(env.CONTAINERS_STORAGE_CONF, storageConf(folder, driver));
  mkdirSync(join(folder, 'volume'));
  const children: ChildProcessWithoutNullStreams[] = [];
  const spawnAny = (command: readonly string[], run: RunOptions = {}): ChildProcessWithoutNullStreams => {
    const [file = '', ...args] = [...(run.through ?? inNamespace), ...command];
    const child = spawn(file, args, {env: withKrunvm({...env, ...run.env}, run.faults)});
    children.push(child);
    return child;
  };
  const start: ShellGuest['spawn'] = (args, run) => spawnAny(['krunvm', ...args], run);
  const krunvm = (args: readonly string[], run: RunOptions = {}): Promise<Run> =>
    collect(start(args, run), run.input);
  const remove = (): void => {
    for (const child of children) child.kill('SIGKILL');
    execute(['sh', '-c', 'buildah rm --all; buildah rmi --all --force; rm -rf -- "$1"', 'sh', folder], env);
  };
  try {
    execute(['sh', '-c', imageScript, 'sh', agent, IMAGE, ...programs], env);
    const made = await krunvm(['create', '--name=vm', `--volume=${folder}/volume:/ws`, '--mem=256', IMAGE]);
    if (made.code !== 0) throw new Error(`${made.stdout}${made.stderr}`);
  } catch (error) {
    remove();
    throw error;
  }
  const sh: ShellGuest['sh'] = (script, run) => krunvm(['start', 'vm', '/bin/sh', '--', '-c', script], run);
  const onHost: ShellGuest['onHost'] = (script, run) =>
    collect(spawnAny(['sh', '-c', script], run), run?.input);
  return {folder, env, krunvm, spawn: start, sh, onHost, remove};
};

/** Where krunvm on macOS would look for it in a volume at `folder`. */
const storageConf = (folder: string, driver: string): string =>
  `[storage]\ndriver = "${driver}"\ngraphroot = "${folder}/root"\nrootless_storage_path = "${folder}/root"\n` +
  `runroot = "${folder}/runroot"\n[storage.options.overlay]\nskip_mount_home = "true"\n`;

const execute = (command: readonly string[], env: ShellGuest['env']): void => {
  const [file = '', ...args] = [...asRoot, ...command];
  execFileSync(file, args, {env, stdio: ['ignore', 'ignore', 'pipe']});
};

/** sh -c imageScript sh AGENT IMAGE PROGRAM... */
const imageScript = `set -eu
agent=$1 image=$2
shift 2
buildah from --name shell scratch
root=$(buildah mount shell)
chmod 755 "$root"
mkdir -p "$root/bin" "$root/tmp"
cp "$agent" "$root/.agent"
for program in "$@"; do
  file=$(readlink -f "$(command -v "$program")")
  cp "$file" "$root/bin/$program"
  for library in $(ldd "$file" | grep -o '/[^ ]*'); do
    mkdir -p "$root\${library%/*}"
    cp -L "$library" "$root$library"
  done
done
buildah umount shell
buildah config --env PATH=/bin --env FROM=image --workingdir /tmp --cmd '["/bin/sh", "-c", "echo default"]' shell
buildah commit --quiet --disable-compression --rm shell "$image"`;

const collect = (child: ChildProcessWithoutNullStreams, input: RunOptions['input']): Promise<Run> => {
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on('error', () => {}); // a guest that does not read
  child.stdin.end(input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({code, signal, stdout: Buffer.concat(stdout), stderr});
    });
  });
};

/** Whether a process of this machine has this text in its command line. */
export const isRunning = (text: string): boolean => {
  const found = execFileSync('ps', ['-A', '-o', 'args='], {encoding: 'utf8'});
  return found.split('\n').some((line) => line.includes(text));
};

export const mountsBelow = (folder: string): readonly string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
