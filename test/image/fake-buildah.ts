/** A buildah that keeps images in a file and remembers what it was asked: for what the real one cannot be made to do. */
import {readFileSync} from 'node:fs';
import {chmod, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

export interface FakeBuildah {
  /** With it first on the PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The arguments of each call. */
  readonly calls: () => readonly (readonly string[])[];
  /** The environment of the last call. */
  readonly seen: () => Readonly<Record<string, string>>;
}

/** `body` is shell: `$command` is the subcommand, `$last` the last argument. */
export const makeFakeBuildah = async (folder: string, body: string): Promise<FakeBuildah> => {
  const bin = join(folder, 'bin');
  await mkdir(bin, {recursive: true});
  const [asked, seen] = [join(folder, 'asked'), join(folder, 'seen')];
  await writeFile(asked, '');
  const script = `#!/bin/sh
{ printf '%s\\037' "$@"; echo; } >> "${asked}"
env > "${seen}"
while [ "\${1#--}" != "$1" ]; do shift; done
command=$1
for last; do :; done
${body}
`;
  await writeFile(join(bin, 'buildah'), script);
  await chmod(join(bin, 'buildah'), 0o755);
  return {
    env: {HOME: folder, PATH: `${bin}:${process.env.PATH}`},
    calls: () =>
      readFileSync(asked, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\x1f').slice(0, -1)),
    seen: () =>
      Object.fromEntries(
        readFileSync(seen, 'utf8')
          .split('\n')
          .map((line): [string, string] => [line.replace(/=.*$/, ''), line.replace(/^[^=]*=/, '')]),
      ),
  };
};
