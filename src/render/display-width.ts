/** How many columns of a terminal a text takes. */
export const displayWidth = (text: string): number => {
  if (isPlain.test(text)) return text.length;
  let width = 0;
  for (const {segment} of new Intl.Segmenter().segment(text)) width += characterWidth(segment);
  return width;
};

const isPlain = /^[\u0020-\u007e]*$/;
const isEmoji = /^\p{Emoji_Presentation}|\ufe0f/u;
const isMark = /^\p{M}/u;
// What Unicode calls wide and fullwidth (EastAsianWidth.txt), without the emoji among them.
const isWide =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\u4dbf\u4e00-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f251}\u{20000}-\u{3fffd}]/u;

/** Of what a reader takes for one character. */
const characterWidth = (character: string): number => {
  if (isEmoji.test(character) || isWide.test(character)) return 2;
  return isMark.test(character) ? 0 : 1;
};
