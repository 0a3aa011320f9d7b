import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {deferRequires} from '../../scripts/build/lazy-requires.mjs';

const load = (source: string, required: Readonly<Record<string, unknown>>) => {
  const [exports, loaded] = [{} as Record<string, (...args: unknown[]) => unknown>, [] as string[]];
  const require = (name: string): unknown => {
    loaded.push(name);
    return required[name];
  };
  new Function('exports', 'require', deferRequires(source))(exports, require);
  return {exports, loaded};
};

const source = `"use strict";
var __importDefault = (this && this.__importDefault) || function (mod) {
    return (mod && mod.__esModule) ? mod : { "default": mod };
};
const node_path_1 = require("node:path");
const shape_1 = __importDefault(require("./shape"));
exports.join = (...parts) => (0, node_path_1.join)(...parts);
exports.make = (size) => new shape_1.default(size);
`;

describe('a module of oclif', () => {
  it('loads another one when that is first used, and once', () => {
    class Shape {
      constructor(readonly size: number) {}
    }
    const {exports, loaded} = load(source, {'node:path': {join}, './shape': Shape});
    expect(loaded).toEqual([]);
    expect(exports.join?.('a', 'b')).toBe('a/b');
    expect(exports.join?.('b', 'c')).toBe('b/c');
    expect(loaded).toEqual(['node:path']);
    expect(exports.make?.(3)).toEqual(new Shape(3));
    expect(loaded).toEqual(['node:path', './shape']);
  });

  // What TypeScript writes otherwise one day must not pass unnoticed.
  it('keeps no other load at its beginning than those of its parts', () => {
    const root = 'node_modules/@oclif/core/lib';
    const kept = readdirSync(root, {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.js'))
      .flatMap(
        (name) =>
          deferRequires(readFileSync(join(root, name), 'utf8')).match(
            /^(const|let|var) .* = .*require\(.*$/gm,
          ) ?? [],
      );
    expect(kept.filter((line) => line.startsWith('const') && line.includes('_1 = '))).toEqual([]);
  });
});
