// @ts-check

/** How many reasons are kept of each measure. */
const KEPT_REASONS = 5;
const REASON_LENGTH = 400;

/** @typedef {{attempts: number, values: number[], failures: string[]}} Sample */

/**
 * What was measured, by measure. An attempt that fails counts for every measure that it was for, with its reason, and
 * nothing stops because of it.
 * @param {{onFailure: (ids: readonly string[], reason: string) => void, clean?: (text: string) => string}} options
 *   `clean` takes out of a reason what is none of a reader's business
 */
export const createSamples = ({onFailure, clean = (text) => text}) => {
  /** @type {Map<string, Sample>} */
  const samples = new Map();
  /** @param {string} id */
  const sampleOf = (id) => {
    const found = samples.get(id) ?? {attempts: 0, values: [], failures: []};
    samples.set(id, found);
    return found;
  };
  /**
   * @param {readonly string[]} ids
   * @param {unknown} error
   */
  const fail = (ids, error) => {
    const reason = clean(error instanceof Error ? error.message : String(error)).slice(0, REASON_LENGTH);
    for (const id of ids) {
      const sample = sampleOf(id);
      sample.attempts += 1;
      if (sample.failures.length < KEPT_REASONS) sample.failures.push(reason);
    }
    onFailure(ids, reason);
  };
  return {
    fail,
    /**
     * @param {readonly string[]} ids
     * @param {() => Promise<Readonly<Record<string, number | readonly number[] | undefined>>>} work gives a value, or
     *   several of as many attempts, for each id
     * @param {AbortSignal} [signal] an attempt that it ends is none
     */
    attempt: async (ids, work, signal) => {
      try {
        const values = await work();
        const missing = ids.filter((id) => values[id] === undefined);
        if (missing.length > 0) fail(missing, new Error('it gave no value'));
        for (const id of ids) add(sampleOf(id), values[id]);
      } catch (error) {
        signal?.throwIfAborted();
        fail(ids, error);
      }
    },
    /** Forgets everything: what came before was for warming up. */
    clear: () => samples.clear(),
    /** @returns {Record<string, Sample>} */
    all: () => Object.fromEntries(samples),
  };
};

/** @typedef {ReturnType<typeof createSamples>} Samples */

/**
 * @param {Sample} sample
 * @param {number | readonly number[] | undefined} value
 */
const add = (sample, value) => {
  const values = value === undefined ? [] : [value].flat();
  sample.attempts += values.length;
  sample.values.push(...values.map((each) => Math.round(each * 100) / 100));
};
