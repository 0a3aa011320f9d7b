/** Which distribution's packages images are built from, and where they are fetched: the host's own, where that can be. Pure. */

export interface Distribution {
  /** As it shows in the reference: `debian-12`. */
  readonly name: string;
  /** Code name, for example `bookworm`. */
  readonly suite: string;
  /** Lines of a sources.list, from the host's own; empty for the built-in mirrors of mmdebstrap. */
  readonly sources: readonly string[];
}

interface HostSources {
  /** Content of os-release. */
  readonly osRelease: string;
  /** Contents of the host's package sources, by file name: `.list` one a line, `.sources` in paragraphs. */
  readonly files: readonly {readonly name: string; readonly text: string}[];
  readonly hasDebianKeyring: boolean;
}

// Built where the host's own packages cannot serve: mmdebstrap knows its mirrors.
const otherwise: Distribution = {name: 'debian-12', suite: 'bookworm', sources: []};

/** Null where neither the host's packages nor Debian's can be used. */
export const chooseDistribution = (host: HostSources): Distribution | null => {
  const os = parseOsRelease(host.osRelease);
  const suite = os.VERSION_CODENAME ?? '';
  if ((os.ID === 'debian' || os.ID === 'ubuntu') && /^[a-z]+$/.test(suite)) {
    const sources = ownSources({files: host.files, suite, isUbuntu: os.ID === 'ubuntu'});
    const version = /^[0-9.]+$/.test(os.VERSION_ID ?? '') ? os.VERSION_ID : suite;
    return {name: `${os.ID}-${version}`, suite, sources};
  }
  return host.hasDebianKeyring ? otherwise : null;
};

const parseOsRelease = (text: string): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, key, value] = /^([A-Z_]+)=["']?(.*?)["']?\s*$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );

interface Source {
  readonly options: string;
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
}

// The host's mirror for the distribution's own suites; other publishers' packages stay out.
const ownSources = (wanted: {files: HostSources['files']; suite: string; isUbuntu: boolean}): string[] => {
  const {files, suite, isUbuntu} = wanted;
  const suites = [suite, `${suite}-updates`, `${suite}-security`];
  const components = isUbuntu ? ['main', 'universe'] : ['main'];
  const all = files.flatMap(({name, text}) =>
    name.endsWith('.sources') ? fromParagraphs(text) : fromLines(text),
  );
  const lines = all
    .filter((source) => suites.includes(source.suite) && /^https?:\/\//.test(source.uri))
    .map((source) => ({...source, components: components.filter((name) => source.components.includes(name))}))
    .filter((source) => source.components.length > 0)
    .map(
      ({options, uri, suite: name, components: parts}) => `deb ${options}${uri} ${name} ${parts.join(' ')}`,
    );
  const hasBase = lines.some((line) => line.includes(` ${suite} main`));
  return hasBase ? [...new Set(lines)] : [];
};

const fromLines = (text: string): Source[] =>
  text.split('\n').flatMap((line) => {
    const [, options = '', uri, suite, rest] =
      /^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line) ?? [];
    if (uri === undefined || suite === undefined || rest === undefined) return [];
    return [{options: signedBy(options), uri, suite, components: rest.trim().split(/\s+/)}];
  });

const fromParagraphs = (text: string): Source[] =>
  text.split(/\n\s*\n/).flatMap((paragraph) => {
    const words = (key: string): string[] =>
      new RegExp(`^${key}:[ \\t]*(.*)$`, 'im').exec(paragraph)?.[1]?.trim().split(/\s+/) ?? [];
    if (!words('Types').includes('deb') || /^Enabled:\s*no/im.test(paragraph)) return [];
    const [key = ''] = words('Signed-By');
    const options = signedBy(`[signed-by=${key}]`);
    return words('URIs').flatMap((uri) =>
      words('Suites').map((suite) => ({options, uri, suite, components: words('Components')})),
    );
  });

// A mirror with a key of its own, in a file. The distribution's own keyring is mmdebstrap's to find, and keys written
// into the source itself are left out.
const signedBy = (options: string): string => {
  const path = /signed-by=(\/[^\s\],]+)/.exec(options)?.[1];
  return path === undefined || /-archive-keyring\.(?:gpg|pgp)$/.test(path) ? '' : `[signed-by=${path}] `;
};
