// @ts-check

/**
 * All of them in another order, the same for the same seed: so that no measure always comes after the same other one.
 * @template T
 * @param {readonly T[]} all
 * @param {number} seed
 * @returns {T[]}
 */
export const shuffled = (all, seed) => {
  const next = randomFrom(seed);
  return all
    .map((item) => ({item, place: next()}))
    .sort((one, other) => one.place - other.place)
    .map(({item}) => item);
};

/** Numbers below 2^32 (xorshift, G. Marsaglia, 2003). @param {number} seed */
const randomFrom = (seed) => {
  let state = (seed + 1) * 0x9e3779b1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
};
