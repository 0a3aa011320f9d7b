/** Output of the guest as fields of a JSON object: text where it is UTF-8, base64 where it is not. */
export const outputFields = (name: 'stdout' | 'stderr', content: Buffer): Record<string, string> => {
  if (isHeavyAsText(content)) return {[`${name}_base64`]: content.toString('base64')};
  try {
    return {[`${name}_text`]: new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(content)};
  } catch {
    return {[`${name}_base64`]: content.toString('base64')};
  }
};

const SMALL = 1024 * 1024;
const ESCAPE_BYTES = 5; // `\u0001` instead of one byte

/** Whether much of it is control characters, which JSON writes at six times their size: a string has its limit. */
const isHeavyAsText = (content: Buffer): boolean => {
  if (content.length <= SMALL) return false;
  let added = 0;
  for (const byte of content) {
    if (byte < 0x20 || byte === 0x7f)
      added += byte === 0x0a || byte === 0x0d || byte === 0x09 ? 1 : ESCAPE_BYTES;
    else if (byte === 0x22 || byte === 0x5c) added += 1;
  }
  return added > content.length;
};
