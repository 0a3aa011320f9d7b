import {text} from 'node:stream/consumers';
import {setTimeout as sleep} from 'node:timers/promises';
import {expect, it} from 'vitest';
import {spawnPiped} from '../../src/process/spawn-piped.js';

it('keeps what is written to standard error before anybody reads it', async () => {
  const child = await spawnPiped({file: '/bin/sh', args: ['-c', 'echo words >&2; exit 3'], env: {}});
  child.stdout.resume();
  expect(await child.ended).toEqual({code: 3, signal: null});
  await sleep(50);
  expect(await text(child.stderr)).toBe('words\n');
});
