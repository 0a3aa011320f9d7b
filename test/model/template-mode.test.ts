import {expect, it} from 'vitest';
import {parseTemplateMode} from '../../src/model/template-mode.js';

it.each([
  [undefined, 'auto'],
  ['', 'auto'],
  ['auto', 'auto'],
  ['off', 'off'],
] as const)('AGENT_TEMPLATES=%s is %s', (value, mode) => {
  expect(parseTemplateMode(value)).toBe(mode);
});

it.each(['on', 'OFF', '0', ' off'])('AGENT_TEMPLATES=%s is refused', (value) => {
  expect(() => parseTemplateMode(value)).toThrow(
    expect.objectContaining({code: 'USAGE', message: `AGENT_TEMPLATES is '${value}'.`}),
  );
});
