import {spawnSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {mayBeSource} from '../../src/vm/execute.js';

/** As a guest is asked. */
const parses = (text: string): boolean => spawnSync('/bin/sh', ['-n', '-c', text]).status === 0;

const PIECES = [...`ab1 ./:=@%+,-'"$\`\\(){}[]<>|&;#!*?~\n\t`, 'if', 'done', 'print', "'x'", '"y z"'];

describe('a command that may be source code', () => {
  it.each(['true', "python3 -c 'print(1)'", 'node -e "console.log(1)"', '', "echo 'a\nb'"])(
    'is not %j',
    (text) => {
      expect(mayBeSource(text)).toBe(false);
    },
  );

  it.each(['print(1)', "it's", 'echo "$HOME"', 'a | b', 'x = "\\"', 'if x: pass'])('is %j', (text) => {
    expect(mayBeSource(text)).toBe(true);
  });

  it('is none that the shell does not parse', () => {
    let seed = 7;
    const next = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    let asked = 0;
    for (let round = 0; round < 60_000 && asked < 300; round++) {
      const text = Array.from({length: 1 + next(8)}, () => PIECES[next(PIECES.length)]).join('');
      // What begins with a sign is an option to the shell, whoever asks.
      if (/^[+-]/.test(text) || mayBeSource(text)) continue;
      asked++;
      expect([text, parses(text)]).toEqual([text, true]);
    }
    expect(asked).toBe(300);
  });
});
