/** The command line as an ordinary user: the one that runs the tests, or where that is root, one that is made for them. */
import {execFileSync, spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync} from 'node:fs';
import {delimiter, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {executable} from '../support/agent.js';
import {krunvmFolder} from '../support/krunvm.js';
import {IMAGE} from './krunvm-fixture.js';
import {addSmallImage} from './krunvm-image.js';
import {type Begun, watch} from './krunvm-process.js';
import {isRoot, removeFolder} from './krunvm-traces.js';

export interface OrdinaryUser {
  readonly state: {readonly path: string};
  readonly home: string;
  /** `agent ARGS`; `stubs`: a folder before all others on PATH. */
  readonly begin: (args: readonly string[], stubs?: string) => Begun;
  readonly remove: () => void;
}

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** With a state directory of its own, which has the small image. */
export const makeUser = async (): Promise<OrdinaryUser> => {
  const name = `agentkrun${process.pid % 10_000}`;
  const home = isRoot ? `/var/tmp/${name}` : mkdtempSync('/var/tmp/agentkrun-');
  if (isRoot) addUser(name, home);
  const path = join(home, 'state');
  mkdirSync(join(path, 'images'), {recursive: true});
  mkdirSync(join(home, 'checkout'));
  await addSmallImage({imagesFolder: join(path, 'images'), reference: IMAGE});
  if (isRoot) execFileSync('chown', ['-R', `${name}:`, home]);
  return {
    state: {path},
    home,
    begin: (args, stubs) => {
      const program = isRoot ? readable(name, join(home, 'checkout')) : {prefix: [], folder: checkout};
      const inCheckout = (file: string) => join(program.folder, relative(checkout, file));
      const paths = [...(stubs === undefined ? [] : [stubs]), inCheckout(krunvmFolder), process.env.PATH];
      const [file = '', ...rest] = [
        ...program.prefix,
        ...['env', '-i', `HOME=${home}`, `PATH=${paths.join(delimiter)}`, `AGENT_STATE_DIR=${path}`],
        ...['AGENT_LAUNCHER=krunvm', process.execPath, inCheckout(executable), ...args],
      ];
      return watch(spawn(file, rest, {cwd: home, stdio: 'pipe'}));
    },
    remove: () => {
      removeFolder(home);
      if (isRoot) execFileSync('userdel', [name], {stdio: 'ignore'});
    },
  };
};

const addUser = (name: string, home: string): void => {
  execFileSync('useradd', ['--create-home', '--home-dir', home, name]);
  if (readFileSync('/etc/subuid', 'utf8').includes(`${name}:`)) return;
  const range = '1200000000-1200065535';
  execFileSync('usermod', ['--add-subuids', range, '--add-subgids', range, name]);
};

/** The checkout at a place that the user can reach, wherever it is. */
const readable = (name: string, folder: string) => ({
  folder,
  prefix: [
    ...['unshare', '--mount', '--', 'sh', '-euc', 'mount --bind "$1" "$2"; shift 2; exec "$@"', 'sh'],
    ...[checkout, folder, 'runuser', '-u', name, '--'],
  ],
});
