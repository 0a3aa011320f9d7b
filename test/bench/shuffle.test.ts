import {expect, it} from 'vitest';
import {shuffled} from '../../scripts/bench/shuffle.mjs';

const all = Array.from({length: 12}, (_, index) => index);

it('loses none, and gives the same order for the same seed', () => {
  expect(shuffled(all, 7).toSorted((one, other) => one - other)).toEqual(all);
  expect(shuffled(all, 7)).toEqual(shuffled(all, 7));
});

it('has each in many places over thirty rounds, and after many others', () => {
  const rounds = Array.from({length: 30}, (_, index) => shuffled(all, index));
  for (const item of all) {
    const places = new Set(rounds.map((round) => round.indexOf(item)));
    const before = new Set(rounds.map((round) => round[round.indexOf(item) - 1]));
    expect(places.size).toBeGreaterThan(6);
    expect(before.size).toBeGreaterThan(6);
  }
});
