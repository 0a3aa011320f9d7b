/** Output of the guest as fields of a JSON object: text where it is UTF-8, base64 where it is not. */
export const outputFields = (name: 'stdout' | 'stderr', content: Buffer): Record<string, string> => {
  try {
    return {[`${name}_text`]: new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(content)};
  } catch {
    return {[`${name}_base64`]: content.toString('base64')};
  }
};
