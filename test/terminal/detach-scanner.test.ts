import {describe, expect, it} from 'vitest';
import {createDetachScanner} from '../../src/terminal/detach-scanner.js';

/** What goes to the guest of these chunks, and whether ctrl-] was seen. */
const scanAll = (...chunks: string[]): {typed: string; isDetached: boolean} => {
  const scan = createDetachScanner();
  let typed = '';
  for (const chunk of chunks) {
    const scanned = scan(Buffer.from(chunk, 'latin1'));
    typed += scanned.typed.toString('latin1');
    if (scanned.isDetached) return {typed, isDetached: true};
  }
  return {typed, isDetached: false};
};

const PASTE = ['\u001b[200~', '\u001b[201~'] as const;

describe('the scanner of keys', () => {
  it('passes every other byte on', () => {
    const all = String.fromCharCode(...Array.from({length: 256}, (_, byte) => byte)).replace('\u001d', '');
    expect(scanAll(all, '\u001b', '[A', '\u001b\u001b[20')).toEqual({
      typed: `${all}\u001b[A\u001b\u001b[20`,
      isDetached: false,
    });
  });

  it.each([
    [['\u001d'], ''],
    [['ls\r', '\u001dnot for the guest'], 'ls\r'],
    [['a\u001db\u001d'], 'a'],
    [['\u001b\u001d'], '\u001b'],
    [['\u001b[201~\u001d'], '\u001b[201~'],
  ])('takes ctrl-] out of %j, with what follows', (chunks, typed) => {
    expect(scanAll(...chunks)).toEqual({typed, isDetached: true});
  });

  it.each([
    [[`${PASTE[0]}a\u001db`]],
    [['\u001b[20', '0~a', '\u001db']],
    [['\u001b\u001b', '[200~\u001d']],
    [[`${PASTE[0]}\u001b[200~`, '\u001b[201\u001d']],
  ])('leaves the byte in the pasted text of %j', (chunks) => {
    expect(scanAll(...chunks)).toEqual({typed: chunks.join(''), isDetached: false});
  });

  it('takes the key again after a pasted text', () => {
    expect(scanAll(`${PASTE[0]}\u001d`, '\u001b[201', '~x\u001d')).toEqual({
      typed: `${PASTE[0]}\u001d${PASTE[1]}x`,
      isDetached: true,
    });
  });
});
