import {expect, it} from 'vitest';
import {parseInspect} from '../../src/image/inspect.js';

const digest = `sha256:${'1'.repeat(64)}`;
const inspect = (image: unknown): string => JSON.stringify({FromImageDigest: digest, OCIv1: image});

it('reads digest, platform and configuration', () => {
  const json = inspect({
    architecture: 'amd64',
    os: 'linux',
    config: {User: 'nobody', Env: ['PATH=/bin', 'A=b=c'], WorkingDir: '/app'},
  });
  expect(parseInspect(json)).toEqual({
    digest,
    architecture: 'x64',
    os: 'linux',
    config: {env: ['PATH=/bin', 'A=b=c'], workdir: '/app', user: 'nobody'},
  });
});

it('takes what an image does not say for the usual', () => {
  const {architecture, os, config} = parseInspect(inspect({}));
  expect({architecture, os, config}).toEqual({
    architecture: process.arch,
    os: 'linux',
    config: {env: [], workdir: '/', user: ''},
  });
  expect(parseInspect(inspect({config: {Env: null, WorkingDir: 'app'}})).config.workdir).toBe('/app');
});

it('leaves out what is no variable', () => {
  expect(parseInspect(inspect({config: {Env: ['A=1', 'B', '=c', '', 'D=\0']}})).config.env).toEqual(['A=1']);
});

it.each(['', '[]', '{"OCIv1":{}}', inspect({config: {Env: 'A=b'}})])('refuses %j', (json) => {
  expect(() => parseInspect(json)).toThrow();
});
