import {describe, expect, it} from 'vitest';
import {ExitCode} from '../../src/model/exit-code.js';
import {languageNames, languageOf} from '../../src/model/language.js';
import {vmStatuses} from '../../src/model/vm-record.js';
import {resolveStatePaths} from '../../src/state/state-paths.js';
import {moveTo} from '../../src/vm/lifecycle.js';
import {someRecord} from '../support/some-records.js';
import {inlineCode, read, section, tableRows, trackedFiles} from './documents.js';

const readme = read('README.md');
const rowsOf = (heading: string): string[][] => tableRows(section(readme, heading));
const codesIn = (cells: readonly string[]): string[] => cells.flatMap(inlineCode);
const sources = trackedFiles.filter((path) => /^src\/.*\.ts$/.test(path)).map(read);

describe('the tables of README', () => {
  it('of the environment has what src reads, and nothing else', () => {
    const isRead = sources.flatMap((text) => [
      ...[...text.matchAll(/\benv\.([A-Z][A-Z0-9_]+)\b/g)].map(([, name]) => name),
      ...[...text.matchAll(/\benv: '([A-Z][A-Z0-9_]+)'/g)].map(([, name]) => name),
      ...[...text.matchAll(/\{([^{}]*)\} = (?:process\.)?env\b/g)].flatMap(([, names = '']) =>
        (names.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []).map(String),
      ),
    ]);
    const named = codesIn(rowsOf('Environment').map(([first = '']) => first));
    expect(new Set(named)).toEqual(new Set(isRead));
  });

  it('of errors has every code once', () => {
    const [, union = ''] = /export type ErrorCode =([^;]*);/.exec(read('src/model/errors.ts')) ?? [];
    const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(10);
    expect(codesIn(rowsOf('Troubleshooting').map(([first = '']) => first)).toSorted()).toEqual(
      codes.toSorted(),
    );
  });

  it('of exit codes has every code of ours', () => {
    const named = rowsOf('Exit codes').flatMap(([first = '']) => (first.match(/\d+/g) ?? []).map(Number));
    expect(new Set(named)).toEqual(new Set([...Object.values(ExitCode), 255]));
  });

  it('of languages has each with its aliases and its default image', () => {
    const rows = rowsOf('Languages').map((cells) => cells.slice(0, 3).map((cell) => inlineCode(cell)));
    expect(rows).toEqual(
      languageNames.map((name) => {
        const {aliases, image, defaultReference} = languageOf(name);
        return [[name], [...aliases], [image === name ? defaultReference : image]];
      }),
    );
  });

  it('of the state directory has all its folders', () => {
    const {root, runtime, ...inside} = resolveStatePaths({env: {AGENT_STATE_DIR: '/s'}, uid: 1});
    const named = codesIn(rowsOf('State directory').map(([first = '']) => first));
    for (const path of Object.values(inside)) {
      const name = path.slice(root.length + 1);
      expect(
        named.some((code) => code === name || code.startsWith(`${name}/`)),
        `${name} ${runtime}`,
      ).toBe(true);
    }
  });
});

it('the table of moves in docs/architecture.md is that of the code', () => {
  const isAllowed = (from: (typeof vmStatuses)[number], status: (typeof vmStatuses)[number]): boolean => {
    try {
      moveTo(someRecord({status: from}), {status});
      return true;
    } catch {
      return false; // VM_BUSY
    }
  };
  const moves = vmStatuses.map((from) => [from, vmStatuses.filter((to) => isAllowed(from, to)).toSorted()]);
  const rows = tableRows(section(read('docs/architecture.md'), 'The states of a VM'));
  expect(rows.map(([from, to = '']) => [from, to.split(', ').toSorted()]).toSorted()).toEqual(
    moves.toSorted(),
  );
});
