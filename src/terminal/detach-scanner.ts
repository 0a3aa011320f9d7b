export interface Scanned {
  /** What goes to the guest. */
  readonly typed: Buffer;
  readonly isDetached: boolean;
}

/** ctrl-]. */
const DETACH = 0x1d;

/** Looks for ctrl-] in what is typed, chunk after chunk: the key, not the same byte in a pasted text. */
export const createDetachScanner = (): ((chunk: Buffer) => Scanned) => {
  const isPasted = createPasteScanner();
  return (chunk) => {
    for (const [index, byte] of chunk.entries()) {
      if (!isPasted(byte) && byte === DETACH) return {typed: chunk.subarray(0, index), isDetached: true};
    }
    return {typed: chunk, isDetached: false};
  };
};

// What a terminal puts around pasted text, where a program has asked for it. No byte of it but the first begins it again.
const PASTE_BEGINS = Buffer.from('\u001b[200~');
const PASTE_ENDS = Buffer.from('\u001b[201~');

/** Told of each byte; says whether it is within a pasted text. */
const createPasteScanner = (): ((byte: number) => boolean) => {
  let isPaste = false;
  let matched = 0;
  return (byte) => {
    const mark = isPaste ? PASTE_ENDS : PASTE_BEGINS;
    if (byte === mark[matched]) matched += 1;
    else matched = byte === mark[0] ? 1 : 0;
    if (matched === mark.length) {
      isPaste = !isPaste;
      matched = 0;
    }
    return isPaste;
  };
};
