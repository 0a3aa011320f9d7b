import {describe, expect, it} from 'vitest';
import {languageNames, languageOf} from '../../src/model/language.js';
import {mergeEnv} from '../../src/vm/execute.js';
import {chooseProgram, type ProgramRequest, sourceName} from '../../src/vm/program.js';

const choose = (request: Partial<ProgramRequest>, language: 'python' | null = 'python') =>
  chooseProgram({files: [], ...request})(language);

describe('what is run', () => {
  it.each<[string, Partial<ProgramRequest>, unknown]>([
    ['--cmd', {cmd: 'ls'}, {kind: 'command', text: 'ls'}],
    ['--cmd, whatever the files', {cmd: 'ls', files: ['a.py']}, {kind: 'command', text: 'ls'}],
    ['--code', {code: 'print(1)'}, {kind: 'source', source: Buffer.from('print(1)')}],
    ['--code that is empty', {code: ''}, {kind: 'source', source: Buffer.from('')}],
    ['the source on stdin', {stdinSource: Buffer.from('1')}, {kind: 'source', source: Buffer.from('1')}],
    ['--hello', {hello: true}, {kind: 'source', source: Buffer.from("print('hello world')\n")}],
    ['the first file', {files: ['a.py', 'b.py']}, {kind: 'file', path: 'a.py'}],
  ])('is %s', (_, request, expected) => {
    expect(choose(request)).toEqual(expected);
  });

  it.each<[string, Partial<ProgramRequest>, 'python' | null]>([
    ['nothing', {}, 'python'],
    ['--cmd and --code', {cmd: 'ls', code: '1'}, 'python'],
    ['--code and --hello', {code: '1', hello: true}, 'python'],
    ['--hello and the source on stdin', {hello: true, stdinSource: Buffer.from('1')}, 'python'],
    ['an empty --cmd', {cmd: ''}, 'python'],
    ['a --cmd of blanks', {cmd: ' \n'}, 'python'],
    ['a --cmd with a NUL byte', {cmd: 'a\0b'}, 'python'],
    ['--code without a language', {code: '1'}, null],
    ['--hello without a language', {hello: true}, null],
    ['a file without a language', {files: ['a.py']}, null],
    ['the source on stdin without a language', {stdinSource: Buffer.from('1')}, null],
  ])('cannot be %s', (_, request, language) => {
    expect(() => choose(request, language)).toThrow(expect.objectContaining({code: 'USAGE'}));
  });
});

describe('the name of the source file', () => {
  it.each(languageNames)('ends as %s wants it', (language) => {
    const spoken = languageOf(language);
    expect(sourceName(spoken, [])).toBe(`main.${spoken.extension}`);
  });

  it('is not one that --file brings', () => {
    expect(sourceName(languageOf('python'), ['x/main.py', 'main-1.py'])).toBe('main-2.py');
  });
});

describe('the environment of a command', () => {
  it('is the image’s, then the VM’s, then its own', () => {
    expect(mergeEnv(['A=1', 'B=1', 'C=1'], ['B=2', 'C=2'], ['C=3=x', 'D='])).toEqual([
      'A=1',
      'B=2',
      'C=3=x',
      'D=',
    ]);
  });
});
