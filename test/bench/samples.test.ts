import {expect, it} from 'vitest';
import {createSamples} from '../../scripts/bench/samples.mjs';

const nobody = (): void => {};

it('keeps what an attempt gives, and counts it', async () => {
  const samples = createSamples({onFailure: nobody});
  await samples.attempt(['a', 'b'], async () => ({a: 1.2345, b: [2, 3]}));
  await samples.attempt(['a'], async () => ({a: 4}));
  expect(samples.all()).toEqual({
    a: {attempts: 2, values: [1.23, 4], failures: []},
    b: {attempts: 2, values: [2, 3], failures: []},
  });
});

it('counts an attempt that fails for all that it was for, and says why', async () => {
  const told: string[] = [];
  const samples = createSamples({
    onFailure: (ids, reason) => told.push(`${ids.join(' ')}: ${reason}`),
    clean: (text) => text.replace('/secret', '<place>'),
  });
  await samples.attempt(['a', 'b'], async () => {
    throw new Error('no /secret here');
  });
  await samples.attempt(['a'], async () => ({a: 1}));
  expect(told).toEqual(['a b: no <place> here']);
  expect(samples.all()).toEqual({
    a: {attempts: 2, values: [1], failures: ['no <place> here']},
    b: {attempts: 1, values: [], failures: ['no <place> here']},
  });
});

it('counts a value that is missing as a failure of that measure alone', async () => {
  const samples = createSamples({onFailure: nobody});
  await samples.attempt(['a', 'b'], async () => ({a: 1, b: undefined}));
  expect(samples.all()).toEqual({
    a: {attempts: 1, values: [1], failures: []},
    b: {attempts: 1, values: [], failures: ['it gave no value']},
  });
});

it('ends with an interruption, which is no failure', async () => {
  const samples = createSamples({onFailure: nobody});
  const interruption = new AbortController();
  const attempt = samples.attempt(
    ['a'],
    async () => {
      interruption.abort(new Error('enough'));
      throw new Error('ended by a signal');
    },
    interruption.signal,
  );
  await expect(attempt).rejects.toThrow('enough');
  expect(samples.all()).toEqual({});
});
