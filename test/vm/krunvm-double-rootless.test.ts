import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, copyFileSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {agentProgram} from '../guest-agent/stdio-agent.js';
import {copyKrunvm} from '../support/krunvm.js';

// As root a user is made for this; otherwise the other tests have taken this way already, and these take it again.
const isRoot = process.getuid?.() === 0;
const user = isRoot
  ? `agentkrun${process.pid % 10_000}`
  : execFileSync('id', ['-un'], {encoding: 'utf8'}).trim();
const home = isRoot ? `/var/tmp/${user}` : execFileSync('mktemp', ['-d'], {encoding: 'utf8'}).trim();

beforeAll(() => {
  if (isRoot) {
    execFileSync('useradd', ['--create-home', '--home-dir', home, user]);
    if (!readFileSync('/etc/subuid', 'utf8').includes(`${user}:`)) {
      const range = '1300000000-1300065535';
      execFileSync('usermod', ['--add-subuids', range, '--add-subgids', range, user]);
    }
  }
  copyKrunvm(join(home, 'double'));
  copyFileSync(agentProgram(), join(home, 'agent'));
  chmodSync(join(home, 'agent'), 0o755);
  if (isRoot) execFileSync('chown', ['-R', `${user}:`, home]);
});
afterAll(() => {
  if (isRoot) execFileSync('userdel', ['--remove', user], {stdio: 'ignore'});
});

/** A script as that user, with the double first on its PATH. */
const asUser = (script: string, args: readonly string[] = []) => {
  const env = [
    `HOME=${home}`,
    `PATH=${home}/double/bin:/usr/local/bin:/usr/bin:/bin`,
    `CONTAINERS_STORAGE_CONF=${home}/storage.conf`,
  ];
  const command = ['env', '-i', ...env, 'sh', '-c', script, 'sh', ...args];
  const [file = '', ...rest] = isRoot ? ['runuser', '-u', user, '--', ...command] : command;
  const {status, stdout, stderr} = spawnSync(file, rest, {cwd: home, encoding: 'utf8', timeout: 60_000});
  return {status, stdout, stderr};
};

const prepare = `set -eu
printf '[storage]\\ndriver = "%s"\\nrootless_storage_path = "%s"\\ngraphroot = "%s"\\nrunroot = "%s"\\n' \\
  "$1" "$HOME/$1" "$HOME/$1" "$HOME/run-$1" >storage.conf
mkdir "volume-$1"
buildah unshare -- sh -eu -c 'root=$(buildah mount $(buildah from --name agent scratch))
  chmod 755 "$root"; cp agent "$root/.agent"; buildah umount agent
  buildah commit --quiet --rm agent localhost/agent:1'
buildah unshare -- krunvm create --name "vm-$1" --mem 256 -v "$HOME/volume-$1:/out" localhost/agent:1`;

/** As the launcher does: without any network, and dying with its parent. */
const start = `setpriv --pdeathsig KILL -- buildah unshare -- setpriv --pdeathsig KILL -- \\
  unshare --mount --net -- krunvm start "vm-$1" /.agent </dev/null`;

const remove = `buildah unshare -- krunvm delete "vm-$1" && buildah unshare -- sh -c '
  buildah containers --quiet; buildah rmi --all --force >/dev/null; rm -rf "$HOME/$1" "$HOME/run-$1"' sh "$1"`;

describe.each(['overlay', 'vfs'])('as an ordinary user, with %s', (driver) => {
  it('creates, boots the guest agent without network, and deletes', () => {
    const created = asUser(prepare, [driver]);
    expect([created.status, created.stdout]).toEqual([
      0,
      expect.stringContaining(`microVM created with name: vm-${driver}\n`),
    ]);
    const started = asUser(start, [driver]);
    // The first frame is the agent's HELLO; then its channel ends, and it with that.
    expect([started.status, started.stdout.charCodeAt(4)]).toEqual([0, 1]);
    expect(asUser(remove, [driver])).toEqual({status: 0, stdout: '', stderr: ''});
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(home);
  });
});

it('needs buildah unshare', () => {
  const words = 'Please re-run krunvm inside a "buildah unshare" session\n';
  expect(asUser('krunvm list')).toEqual({status: 255, stdout: words, stderr: ''});
});
