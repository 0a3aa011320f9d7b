// @ts-check
/** A run as one SVG: a bar to the median of each measure, and from there a line to its p95. */
import {short} from './markdown.mjs';

const WIDTH = 960;
const LABEL_WIDTH = 310;
const RIGHT = 120;
const ROW = 22;
const BAR = 13;
const PANEL_GAP = 66;
const TOP = 78;
const TICKS = 6;

/** @type {Readonly<Record<import('./catalog.mjs').Kind, {colour: string, name: string}>>} */
const KINDS = {
  baseline: {colour: '#8c959f', name: 'baseline'},
  cold: {colour: '#4a7ebb', name: 'cold boot'},
  warm: {colour: '#e0872b', name: 'from a template'},
  up: {colour: '#4f9d69', name: 'no VM is started'},
};

const PANELS = /** @type {const} */ ([
  {id: 'boot', title: 'Starting a VM, milliseconds'},
  {id: 'command', title: 'Without starting one, milliseconds'},
]);

/** @typedef {import('./results.mjs').Result & {spread: import('./statistics.mjs').Spread}} Bar */

/** @param {import('./results.mjs').Results} results */
export const drawPlot = ({version, time, machine, plan, measures}) => {
  let y = TOP;
  const panels = PANELS.map(({id, title}) => {
    const bars = measures.flatMap((measure) =>
      measure.panel === id && measure.spread ? [{...measure, spread: measure.spread}] : [],
    );
    const drawn = bars.length === 0 ? [] : drawPanel({title, bars, y});
    if (bars.length > 0) y += bars.length * ROW + PANEL_GAP;
    return drawn;
  });
  const subtitle = `version ${version}, ${time.slice(0, 10)}, ${plan.rounds} rounds; ${machine.cores} cores, ${machine.accelerator.toUpperCase()}, QEMU ${machine.qemu}; bar: median, line: to p95`;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="Helvetica, Arial, sans-serif" font-size="12">`,
    '<title>Benchmarks</title>',
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    text({x: 16, y: 26, say: 'What a person waits for', size: 17, weight: 'bold'}),
    text({x: 16, y: 46, say: subtitle, colour: '#57606a'}),
    ...drawLegend(),
    ...panels.flat(),
    '</svg>',
  ].join('\n')}\n`;
};

const drawLegend = () =>
  Object.values(KINDS).flatMap(({colour, name}, index) => {
    const x = 16 + index * 140;
    return [
      `<rect x="${x}" y="55" width="11" height="11" fill="${colour}"/>`,
      text({x: x + 17, y: 65, say: name}),
    ];
  });

/** @param {{title: string, bars: readonly Bar[], y: number}} panel */
const drawPanel = ({title, bars, y}) => {
  const scale = scaleFor(Math.max(...bars.map(({spread}) => spread.p95)));
  const top = y + 34;
  const bottom = top + bars.length * ROW;
  return [
    text({x: 16, y: y + 20, say: title, size: 14, weight: 'bold'}),
    ...scale.ticks.flatMap((value) => [
      `<line x1="${scale.x(value)}" y1="${top - 4}" x2="${scale.x(value)}" y2="${bottom}" stroke="#e3e6ea"/>`,
      text({x: scale.x(value), y: bottom + 15, say: String(value), anchor: 'middle', colour: '#57606a'}),
    ]),
    ...bars.flatMap((bar, index) => drawBar(bar, top + index * ROW, scale.x)),
  ];
};

/**
 * @param {Bar} bar
 * @param {number} y
 * @param {(value: number) => number} x
 */
const drawBar = ({title, kind, spread: {p50, p95}}, y, x) => {
  const middle = y + ROW / 2;
  const [from, to, end] = [x(0), x(p50), x(p95)];
  return [
    text({x: LABEL_WIDTH - 8, y: middle + 4, say: title, anchor: 'end'}),
    `<rect x="${from}" y="${middle - BAR / 2}" width="${round(Math.max(1, to - from))}" height="${BAR}" fill="${KINDS[kind].colour}"/>`,
    `<path d="M${to} ${middle}H${end}M${end} ${middle - 4}V${middle + 4}" stroke="#24292f" fill="none"/>`,
    text({x: end + 7, y: middle + 4, say: `${short(p50)} (${short(p95)})`, colour: '#57606a', size: 11}),
  ];
};

/** Round numbers from zero to at least the largest value. @param {number} largest */
const scaleFor = (largest) => {
  const step = roundStep(largest / TICKS);
  const count = Math.max(1, Math.ceil(largest / step));
  const end = step * count;
  const width = WIDTH - LABEL_WIDTH - RIGHT;
  return {
    ticks: Array.from({length: count + 1}, (_, index) => Number((index * step).toPrecision(12))),
    /** @param {number} value */
    x: (value) => round(LABEL_WIDTH + (value / end) * width),
  };
};

/** The next of 1, 2, 5, 10, 20 and so on. @param {number} least */
const roundStep = (least) => {
  const power = 10 ** Math.floor(Math.log10(least || 1));
  return ([1, 2, 5].find((digit) => digit * power >= least) ?? 10) * power;
};

/**
 * @param {{
 *   x: number,
 *   y: number,
 *   say: string,
 *   size?: number,
 *   weight?: 'normal' | 'bold',
 *   anchor?: 'start' | 'middle' | 'end',
 *   colour?: string,
 * }} label
 */
const text = ({x, y, say, size = 12, weight = 'normal', anchor = 'start', colour = '#24292f'}) =>
  `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${colour}">${escapeXml(say)}</text>`;

/** @param {string} plain */
const escapeXml = (plain) => plain.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
