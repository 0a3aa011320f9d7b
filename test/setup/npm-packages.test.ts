import {describe, expect, it} from 'vitest';
import {npmPackagesAreInstalled} from '../../scripts/prepare/npm-packages.mjs';
import {createTree} from './temp-tree.js';

const lock = (packages: object): string => JSON.stringify({lockfileVersion: 3, packages});
const a = {version: '1.0.0', integrity: 'sha512-a'};
const mac = {version: '1.0.0', integrity: 'sha512-m', optional: true};
const wanted = lock({'': {name: 'x'}, 'node_modules/a': a, 'node_modules/mac-only': mac});

const tree = (installed: string | undefined, files: Readonly<Record<string, string>> = {}): string =>
  createTree({
    'package-lock.json': wanted,
    ...(installed === undefined ? {} : {'node_modules/.package-lock.json': installed}),
    ...files,
  });
const present = {'node_modules/a/package.json': '{}'};

describe('npmPackagesAreInstalled', () => {
  it('is true when npm recorded what the lock file asks for, whatever other platforms need', () => {
    expect(npmPackagesAreInstalled(tree(lock({'node_modules/a': a}), present))).toBe(true);
  });

  const cases: Readonly<Record<string, string | undefined>> = {
    'nothing is installed': undefined,
    'a version differs': lock({'node_modules/a': {...a, version: '0.9.0'}}),
    'the content differs': lock({'node_modules/a': {...a, integrity: 'sha512-b'}}),
    'a package is missing': lock({}),
    'the record is damaged': '{',
  };
  for (const [title, installed] of Object.entries(cases)) {
    it(`is false when ${title}`, () => {
      expect(npmPackagesAreInstalled(tree(installed, present))).toBe(false);
    });
  }

  it('is false when the folder of a package is gone', () => {
    expect(npmPackagesAreInstalled(tree(lock({'node_modules/a': a})))).toBe(false);
  });
});
