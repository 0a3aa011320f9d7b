import {expect, it} from 'vitest';
import {namedLocally} from '../../src/image/base-images.js';

it.each([
  ['FROM localhost/a:1', ['localhost/a:1']],
  ['ARG BASE=localhost/agent/python:debian-12\nFROM $BASE', ['localhost/agent/python:debian-12']],
  ['from "localhost/a" as b\nCOPY --from=localhost/c:2 /x /y', ['localhost/a', 'localhost/c:2']],
  ['FROM scratch\nRUN --mount=type=bind,from=localhost/d true', ['localhost/d']],
  ['FROM localhost/a\nFROM localhost/a', ['localhost/a']],
  ['# FROM localhost/a\nFROM docker.io/x\nRUN curl localhost/y', []],
  ['FROM registry.test/localhost/a\nFROM localhost:5000/b', []],
])('finds the images made here in %j', (text, names) => {
  expect(namedLocally({text, buildArgs: []})).toEqual(names);
});

it('finds them in build arguments', () => {
  expect(namedLocally({text: 'FROM $BASE', buildArgs: ['BASE=localhost/a:1', 'X=y']})).toEqual([
    'localhost/a:1',
  ]);
});
