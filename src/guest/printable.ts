/** Text of the guest's, safe to show: no control, formatting or unassigned characters, one line, bounded. */
export const printable = (text: Buffer | string, maxLength: number): string => {
  const head = typeof text === 'string' ? text.slice(0, maxLength + 1) : decodeHead(text, maxLength);
  const clean = head.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
};

/** The same for names that are ASCII by nature. */
export const printableAscii = (bytes: Buffer, maxLength: number): string =>
  bytes
    .subarray(0, maxLength)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '?');

// A character has at most four bytes: no more than these can be shown.
const decodeHead = (bytes: Buffer, maxLength: number): string =>
  bytes.subarray(0, (maxLength + 1) * 4).toString('utf8');
