import {describe, expect, it} from 'vitest';
import {
  absentAs,
  flag,
  listOf,
  mapOf,
  nullable,
  number,
  object,
  oneOf,
  text,
  where,
  wholeNumber,
} from '../../src/model/shape.js';

const shape = object<object>({
  name: text,
  kind: oneOf(['a', 'b']),
  size: where(wholeNumber, 'a positive number', (value) => value > 0),
  ratio: number,
  isUp: flag,
  labels: mapOf(text),
  parts: listOf(object<object>({id: nullable(text)})),
  later: absentAs(7, number),
});
const good = {name: 'x', kind: 'b', size: 3, ratio: 0.5, isUp: true, labels: {k: 'v'}, parts: [{id: null}]};

describe('a shape', () => {
  it('returns what it knows of, with what was not written yet', () => {
    expect(shape({...good, unknown: 1})).toEqual({...good, later: 7});
  });

  it.each([
    [{name: 1}, 'name: expected text'],
    [{name: undefined}, 'name: expected text'],
    [{kind: 'c'}, 'kind: expected one of a, b'],
    [{size: 0}, 'size: expected a positive number'],
    [{size: 1.5}, 'size: expected a whole number'],
    [{ratio: Number.NaN}, 'ratio: expected a number'],
    [{isUp: 'yes'}, 'isUp: expected true or false'],
    [{labels: {k: 1}}, 'labels.k: expected text'],
    [{labels: []}, 'labels: expected an object'],
    [{parts: {}}, 'parts: expected a list'],
    [{parts: [{id: null}, {id: 2}]}, 'parts.1.id: expected text'],
    [{later: null}, 'later: expected a number'],
  ])('refuses %j: %s', (change, message) => {
    expect(() => shape({...good, ...change})).toThrow(message);
  });

  it.each(['text', null, undefined, [good]])('refuses %j for an object', (value) => {
    expect(() => shape(value)).toThrow('record: expected an object');
  });
});
