import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';

const script = fileURLToPath(new URL('../../scripts/fuzz/fuzz.mjs', import.meta.url));
const fuzz = (...args: string[]) => spawnSync(process.execPath, [script, ...args], {encoding: 'utf8'});

test('npm run fuzz takes as many damaged frames as it was asked for, and finds nothing', () => {
  const {status, stdout, stderr} = fuzz('--guest', '--frames', '20000', '--seed', '11');
  expect(status, stderr).toBe(0);
  const [, damaged, refused, archives] =
    /^guest: (\d+) damaged frames of \d+ in \d+ cases, (\d+) of them refused; (\d+) archives, [1-9]\d* of them/m.exec(
      stdout,
    ) ?? [];
  expect(Number(damaged)).toBeGreaterThanOrEqual(20_000);
  expect(Number(refused)).toBeGreaterThan(1000);
  expect(Number(archives)).toBeGreaterThan(500);
}, 120_000);

test('npm run fuzz refuses a number of frames that is none', () => {
  const {status, stderr} = fuzz('--frames', 'many');
  expect(status).toBe(2);
  expect(stderr).toContain('--frames many: not a positive number');
});
