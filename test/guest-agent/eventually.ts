import {expect} from 'vitest';

/** Polls until the assertion holds, for as long as a loaded machine may need. */
export const eventually = <T>(read: () => T) => expect.poll(read, {timeout: 20_000, interval: 20});
