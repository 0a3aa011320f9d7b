/** An image of a few of this machine's own programs: small, so that it is unpacked and booted in no time. */
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, realpathSync} from 'node:fs';
import {join} from 'node:path';
import {makeImage, type OciImage, type TarEntry} from '../image/oci-image.js';

const programs = (
  'bash cat chmod chown cp cut date dd echo env false grep head id kill ln ls mkdir mkfifo mknod mount nproc od ps pwd ' +
  'readlink rm seq sh sleep stat sync tail tee test timeout touch tr true truncate tty umount uname wc xargs yes'
).split(' ');

const folders = ['dev', 'proc', 'sys', 'etc', 'bin', 'root', 'srv', 'var', 'home'];
const passwd = 'root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/bin/sh\n';
const group = 'root:x:0:\ndaemon:x:1:\n';

export const smallImage = async (config: Readonly<Record<string, unknown>> = {}): Promise<OciImage> => {
  const found = programs.map((name) => [name, findProgram(name)] as const);
  const libraries = librariesOf(found.map(([, path]) => path));
  const files = [
    ...found.map(([name, path]) => executable(`bin/${name}`, path)),
    ...libraries.map((path) => executable(path.slice(1), path)),
  ];
  const layer: TarEntry[] = [
    ...folders.map((name): TarEntry => ({name, type: 'directory', mode: 0o755})),
    ...['tmp', 'var/tmp'].map((name): TarEntry => ({name, type: 'directory', mode: 0o1777})),
    {name: 'etc/passwd', content: passwd},
    {name: 'etc/group', content: group},
    ...files,
  ];
  return await makeImage({layers: [layer], config: {Env: ['PATH=/bin'], ...config}});
};

const executable = (name: string, path: string): TarEntry => ({
  name,
  mode: 0o755,
  content: readFileSync(path),
});

const findProgram = (name: string): string => {
  const path = ['/bin', '/usr/bin', '/sbin', '/usr/sbin']
    .map((folder) => join(folder, name))
    .find(existsSync);
  if (path === undefined) throw new Error(`the tests need the program ${name}`);
  return realpathSync(path);
};

/** What the programs are linked with, their loader included. */
const librariesOf = (paths: readonly string[]): string[] => {
  const lines = execFileSync('ldd', paths, {encoding: 'utf8'}).split('\n');
  return [...new Set(lines.flatMap((line) => /(?:=> |^\t)(\/\S+) \(/.exec(line)?.[1] ?? []))];
};
