import {setTimeout as sleep} from 'node:timers/promises';
import {describe, expect, it} from 'vitest';
import {createGate, several} from '../../src/vm/several.js';

/** Counts how many are at work at the same time. */
const countAtOnce = () => {
  let now = 0;
  let most = 0;
  return {
    begin: (): void => {
      most = Math.max(most, ++now);
    },
    end: (): void => {
      now--;
    },
    most: () => most,
  };
};

const items = Array.from({length: 40}, (_, at) => at);

describe('work on several', () => {
  it.each([1, 7, 40, 1000])('is done at most %i at a time, and its results are in order', async (atOnce) => {
    const count = countAtOnce();
    const results = await several(items, atOnce, async (item) => {
      count.begin();
      await sleep((item * 7) % 5);
      count.end();
      return item * 2;
    });
    expect(results).toEqual(items.map((item) => item * 2));
    expect(count.most()).toBe(Math.min(atOnce, items.length));
  });

  it('is nothing for none', async () => {
    expect(await several([], 4, () => Promise.reject(new Error('called')))).toEqual([]);
  });

  it('fails as its first failure does', async () => {
    const work = several(items, 4, async (item) => {
      if (item === 5) throw new Error('the sixth');
    });
    await expect(work).rejects.toThrow('the sixth');
  });
});

describe('a gate', () => {
  it('lets so many in at a time, and each of those who wait in its turn', async () => {
    const gate = createGate(3);
    const count = countAtOnce();
    const order: number[] = [];
    await Promise.all(
      items.map(async (item) => {
        const leave = await gate.enter();
        order.push(item);
        count.begin();
        await sleep(1);
        count.end();
        leave();
      }),
    );
    expect(count.most()).toBe(3);
    expect(order).toEqual(items);
  });

  it('has no more places for one who leaves twice', async () => {
    const gate = createGate(1);
    const leave = await gate.enter();
    leave();
    leave();
    await gate.enter();
    const entered = gate.enter().then(() => 'entered');
    expect(await Promise.race([entered, sleep(20, 'waits')])).toBe('waits');
  });
});
