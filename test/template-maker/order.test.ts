import {expect, it} from 'vitest';
import {fromWords, type MakerOrder, toWords} from '../../src/template-maker/order.js';

const order: MakerOrder = {
  launcher: 'qemu',
  digest: `sha256:${'a'.repeat(64)}`,
  cpus: 2,
  memoryMib: 512,
  network: 'allow_all',
  language: 'typescript',
};

it.each([order, {...order, language: null, network: 'none' as const}])(
  'comes back as it went: %o',
  (each) => {
    expect(fromWords(toWords(each))).toEqual(each);
  },
);

it.each([
  ['nothing', []],
  ['an unknown launcher', ['docker', ...toWords(order).slice(1)]],
  ['no digest', ['qemu', 'python', ...toWords(order).slice(2)]],
  ['no processor', ['qemu', order.digest, '0', '256', 'none']],
  ['memory that is no number', ['qemu', order.digest, '1', '256M', 'none']],
  ['no network', ['qemu', order.digest, '1', '256']],
])('is none with %s', (_, words) => {
  expect(fromWords(words)).toBeUndefined();
});
