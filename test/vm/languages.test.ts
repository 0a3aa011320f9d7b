import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {useState} from '../support/vm-state.js';

const state = useState();
const folder = mkdtempSync(join(tmpdir(), 'agent-programs-'));
afterAll(() => rmSync(folder, {recursive: true}));

/** Says `out TAG` and `err TAG`, then ends with the code. */
type WriteProgram = (tag: string, code: number) => string;

const languages: Readonly<Record<string, {extension: string; program: WriteProgram}>> = {
  python: {
    extension: 'py',
    program: (tag, code) =>
      `import sys\nprint("out ${tag}")\nprint("err ${tag}", file=sys.stderr)\nsys.exit(${code})\n`,
  },
  node: {
    extension: 'js',
    program: (tag, code) =>
      `console.log("out ${tag}");\nconsole.error("err ${tag}");\nprocess.exitCode = ${code};\n`,
  },
  typescript: {
    extension: 'ts',
    program: (tag, code) =>
      `const tag: string = "${tag}";\nenum Code { End = ${code} }\nconsole.log("out", tag);\n` +
      'console.error("err", tag);\nprocess.exitCode = Code.End;\n',
  },
  ruby: {
    extension: 'rb',
    program: (tag, code) => `puts "out ${tag}"\nwarn "err ${tag}"\nexit ${code}\n`,
  },
  golang: {
    extension: 'go',
    program: (tag, code) =>
      'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() {\n' +
      `\tfmt.Println("out ${tag}")\n\tfmt.Fprintln(os.Stderr, "err ${tag}")\n\tos.Exit(${code})\n}\n`,
  },
};

const temp = (language: string, args: readonly string[], input?: string): Promise<AgentResult> =>
  agent(['vm', 'temp', '--language', language, '--timeout', '2m', ...args], {
    state,
    timeoutMs: 170_000,
    ...(input === undefined ? {} : {input}),
  });

const said = (result: AgentResult): {stdout: string; stderr: string; code: number | null} => ({
  stdout: result.stdout.toString(),
  stderr: guestStderr(result),
  code: result.code,
});

describe.each(Object.entries(languages))('%s', (language, {extension, program}) => {
  it('runs a program from --file and from --code, with its exact output and exit code', async () => {
    const path = join(folder, `program.${extension}`);
    writeFileSync(path, program('file', 0));
    const [fromFile, fromCode] = await Promise.all([
      temp(language, ['--file', path]),
      temp(language, ['--code', program('code', 42)]),
    ]);
    expect(said(fromFile)).toEqual({stdout: 'out file\n', stderr: 'err file\n', code: 0});
    expect(said(fromCode)).toEqual({stdout: 'out code\n', stderr: 'err code\n', code: 42});
  });

  it('runs a program from standard input, and says hello', async () => {
    const [fromStdin, hello] = await Promise.all([
      temp(language, ['-'], program('stdin', 255)),
      temp(language, ['--hello']),
    ]);
    expect(said(fromStdin)).toEqual({stdout: 'out stdin\n', stderr: 'err stdin\n', code: 255});
    expect(said(hello)).toEqual({stdout: 'hello world\n', stderr: '', code: 0});
  });
});

describe('--cmd', () => {
  it('runs as source what no shell can parse, and says so', async () => {
    const result = await temp('python', ['--cmd', "print('Hello, World!')"]);
    expect(said(result)).toEqual({stdout: 'Hello, World!\n', stderr: '', code: 0});
    expect(result.events[1]).toMatchObject({
      message: 'temporary vm execution completed',
      interpreted_as: 'python',
      origin: 'guest',
    });
  });

  it('runs in the shell what a shell can parse, quotes, pipes and all', async () => {
    const result = await temp('ruby', [
      '--cmd',
      `for n in 1 2 3; do echo "n $n"; done | tail -n 1; uname -r`,
    ]);
    const [last, release] = result.stdout.toString().trimEnd().split('\n');
    expect(last).toBe('n 3');
    expect(release).toMatch(/^\d+\.\d+/);
    expect(result.events[1]).not.toHaveProperty('interpreted_as');
  });
});
