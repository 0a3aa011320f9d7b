import {usageError} from './errors.js';

export const languageNames = ['python', 'node', 'typescript', 'ruby', 'golang'] as const;
export type LanguageName = (typeof languageNames)[number];

/** A language whose runtime is an image of its own; typescript runs in node's. */
export type ImageLanguage = Exclude<LanguageName, 'typescript'>;

export interface Language {
  readonly name: LanguageName;
  readonly aliases: readonly string[];
  /** The runtime image this language uses. */
  readonly image: ImageLanguage;
  /** OCI reference that is pulled when no image was named or built. */
  readonly defaultReference: string;
  /** File name extension of source code, without the dot. */
  readonly extension: string;
  /** argv that runs the source file at `path` in the guest, passing on its exact exit code. */
  readonly run: (path: string) => readonly string[];
  /** Source that prints `hello world`. */
  readonly hello: string;
  /** Commands that bring into the guest's memory what a program needs first. They leave no file behind. */
  readonly warmUp: readonly (readonly string[])[];
}

// `go run` turns every failure into exit code 1, so the program is built and then becomes the process.
const goBuildAndRun = 'd=$(mktemp -d) && go build -o "$d/program" "$1" && exec "$d/program"';

const node = {
  image: 'node',
  defaultReference: 'docker.io/library/node:20-slim',
  run: (path: string) => ['node', path],
  hello: "console.log('hello world');\n",
  warmUp: [['node', '-e', '0']],
} as const;

const languages: Readonly<Record<LanguageName, Language>> = {
  python: {
    name: 'python',
    aliases: ['py'],
    image: 'python',
    defaultReference: 'docker.io/library/python:3.11-slim',
    extension: 'py',
    run: (path) => ['python3', path],
    hello: "print('hello world')\n",
    warmUp: [['python3', '-c', '']],
  },
  node: {...node, name: 'node', aliases: ['javascript', 'js', 'nodejs'], extension: 'js'},
  typescript: {
    ...node,
    name: 'typescript',
    aliases: ['ts'],
    extension: 'ts',
    // Beside the source lies what became of it without its types (src/vm/typescript.ts).
    run: (path) => ['node', '--enable-source-maps', path.replace(/\.ts$/, '.js')],
    hello: "const greeting: string = 'hello world';\nconsole.log(greeting);\n",
  },
  ruby: {
    name: 'ruby',
    aliases: ['rb'],
    image: 'ruby',
    defaultReference: 'docker.io/library/ruby:3.2-slim',
    extension: 'rb',
    run: (path) => ['ruby', path],
    hello: "puts 'hello world'\n",
    warmUp: [['ruby', '-e', '0']],
  },
  golang: {
    name: 'golang',
    aliases: ['go'],
    image: 'golang',
    defaultReference: 'docker.io/library/golang:1.22-bookworm',
    extension: 'go',
    run: (path) => ['/bin/sh', '-c', goBuildAndRun, 'go', path],
    hello: 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("hello world")\n}\n',
    warmUp: [['go', 'version']],
  },
};

export const languageOf = (name: LanguageName): Language => languages[name];

/** The language for a name or an alias, if it is one. */
export const languageNamed = (input: string): LanguageName | undefined => {
  const wanted = input.toLowerCase();
  return languageNames.find((name) => name === wanted || languages[name].aliases.includes(wanted));
};

/** As `languageNamed`; anything else is a usage error that lists what there is. */
export const parseLanguage = (input: string): LanguageName => {
  const found = languageNamed(input);
  if (found !== undefined) return found;
  const known = languageNames.map((name) => [name, ...languages[name].aliases].join(', ')).join('; ');
  throw usageError(
    `Unknown language '${input}'.`,
    `use one of: ${known}`,
    'or bring your own image: --image REF',
  );
};
