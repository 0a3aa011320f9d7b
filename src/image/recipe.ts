/** What each language's image is made of. Data only. */
import type {ImageLanguage} from '../model/language.js';

export interface Recipe {
  /** Packages that both Debian and Ubuntu have under these names. */
  readonly packages: readonly string[];
  /** Node's own binaries from the npm registry, instead of `fallbackPackages`. */
  readonly npm?: NpmRuntime;
  /** Commands for the finished tree, as root inside it. */
  readonly prepare: readonly (readonly string[])[];
  /** Must succeed inside the finished tree. */
  readonly check: readonly string[];
  /** `NAME=value`, after the common ones. */
  readonly env: readonly string[];
}

export interface NpmRuntime {
  /** The package of the runtime's binary for an architecture as Node names it, and its range. */
  readonly runtime: (architecture: string) => string;
  /** Packages unpacked beside it as global ones. */
  readonly tools: readonly string[];
  /** The distribution's packages where npm cannot serve. */
  readonly fallbackPackages: readonly string[];
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** In every image: certificates for TLS; ps, top, less and vi for those at a terminal. Shell and coreutils come anyway. */
export const commonPackages = ['ca-certificates', 'procps', 'less', 'vim-tiny'] as const;
export const commonEnv = [PATH, 'LANG=C.UTF-8'] as const;

/** Never unpacked: what nobody reads in a microVM. */
export const excludedPaths = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/lintian/*',
  '/usr/share/bug/*',
  '/usr/share/go-*/test/*',
  '/usr/share/go-*/src/*_test.go',
] as const;

const goCache = '/var/cache/go-build';

export const recipes: Readonly<Record<ImageLanguage, Recipe>> = {
  python: {
    packages: ['python3', 'python-is-python3', 'python3-pip'],
    // The VM is the environment: pip may install beside the distribution's packages, as in the official image.
    prepare: [['sh', '-c', 'rm -f /usr/lib/python3*/EXTERNALLY-MANAGED']],
    check: ['python', '-c', 'import ssl, sqlite3, json, asyncio, pip; print("ok")'],
    env: ['PIP_ROOT_USER_ACTION=ignore', 'PIP_DISABLE_PIP_VERSION_CHECK=1'],
  },
  node: {
    packages: ['libstdc++6', 'libatomic1'],
    npm: {
      runtime: (architecture) => `node-linux-${architecture}@20`,
      tools: ['npm@10'],
      fallbackPackages: ['nodejs'],
    },
    prepare: [],
    check: ['node', '-e', 'require("crypto"); fetch; console.log(process.version)'],
    env: [],
  },
  ruby: {
    packages: ['ruby', 'ruby-bundler'],
    prepare: [],
    check: ['ruby', '-e', 'require "json"; require "openssl"; require "net/http"; puts RUBY_VERSION'],
    env: [],
  },
  golang: {
    packages: ['golang-go'],
    // Without cgo no C compiler is needed; the standard library is compiled once here and not in every VM.
    prepare: [
      ['env', 'CGO_ENABLED=0', `GOCACHE=${goCache}`, 'HOME=/root', 'go', 'build', 'std'],
      // go deletes what was not used for five days and touches what it uses (a copy each, in a VM): not in the future.
      ['find', goCache, '-exec', 'touch', '--date=2037-01-01T00:00:00Z', '{}', '+'],
    ],
    check: ['env', 'CGO_ENABLED=0', 'go', 'version'],
    env: [
      'CGO_ENABLED=0',
      `GOCACHE=${goCache}`,
      'GOPATH=/go',
      'GOTOOLCHAIN=local',
      'GOFLAGS=-buildvcs=false',
    ],
  },
};
