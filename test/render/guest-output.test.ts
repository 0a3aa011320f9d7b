import {describe, expect, it} from 'vitest';
import {createGuestOutput} from '../../src/render/guest-output.js';

const MIB = 1024 * 1024;

/** What of so much output gets into the JSON of one VM. */
const captured = async (atOnce: number, bytes: number) => {
  const output = createGuestOutput({isJson: true, isShared: true, atOnce});
  const {stdout} = output.open('vm');
  for (const sink of stdout) await sink.write(Buffer.alloc(bytes, 'x'));
  const {stdout_text: text, truncated} = (await output.close('vm')) ?? {};
  return {length: String(text).length, truncated};
};

describe('output for JSON', () => {
  it.each([
    [1, 64],
    [4, 64],
    [16, 16],
    [256, 1],
  ])('of %i VMs at once keeps %i MiB of each stream in memory', async (atOnce, mib) => {
    expect(await captured(atOnce, mib * MIB)).toEqual({length: mib * MIB, truncated: undefined});
    expect(await captured(atOnce, mib * MIB + 1)).toEqual({length: mib * MIB, truncated: true});
  });
});
