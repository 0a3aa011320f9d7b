// @ts-check
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {basename} from 'node:path';
import {drawPlot} from './plot.mjs';
import {formatResults} from './results.mjs';

const [BEGIN, END] = ['<!-- bench: begin -->', '<!-- bench: end -->'];

/**
 * Writes the raw figures, the plot beside them, and the tables into the document beside them.
 * @param {string} file that ends in `.json`
 * @param {{results: import('./results.mjs').Results, tables: string}} run
 * @returns {string[]} what was written
 */
export const keepRun = (file, {results, tables}) => {
  const beside = (/** @type {string} */ ending) => file.replace(/\.json$/, ending);
  const [plot, document] = [beside('.svg'), beside('.md')];
  writeFileSync(file, formatResults(results));
  writeFileSync(plot, drawPlot(results));
  const text = existsSync(document) ? readFileSync(document, 'utf8') : `${BEGIN}\n${END}\n`;
  const links = `![Medians and p95 of the measures](${basename(plot)})\n\nThe raw figures: [${basename(file)}](${basename(file)}).`;
  writeFileSync(document, replaceBetween(text, `${links}\n\n${tables}`));
  return [file, plot, document];
};

/**
 * @param {string} text
 * @param {string} part
 */
export const replaceBetween = (text, part) => {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the document has no ${BEGIN} before a ${END}`);
  return `${text.slice(0, from + BEGIN.length)}\n\n${part}\n\n${text.slice(to)}`;
};
