import {describe, expect, it} from 'vitest';
import {buildahSource, isLoopback, parseLocalTag, parseReference} from '../../src/image/reference.js';
import {AgentError} from '../../src/model/errors.js';
import {languageNames, languageOf} from '../../src/model/language.js';

const hex = 'a'.repeat(64);

describe('parseReference', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['owner/name', 'docker.io/owner/name:latest'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['index.docker.io/library/alpine', 'docker.io/library/alpine:latest'],
    ['GHCR.io/a/b/c:v1', 'ghcr.io/a/b/c:v1'],
    ['registry.example:5000/a', 'registry.example:5000/a:latest'],
    ['127.0.0.1:5000/a', '127.0.0.1:5000/a:latest'],
    ['[::1]:5000/a:1', '[::1]:5000/a:1'],
    ['localhost:5000/a', 'localhost:5000/a:latest'],
    ['a__b/c-d---e.f_g', 'docker.io/a__b/c-d---e.f_g:latest'],
    [`alpine@sha256:${hex}`, `docker.io/library/alpine@sha256:${hex}`],
    [`alpine:3@sha256:${hex}`, `docker.io/library/alpine:3@sha256:${hex}`],
    ['localhost/agent/python:debian-12', 'localhost/agent/python:debian-12'],
    ['oci:/a/layout:tag', 'oci:/a/layout:tag'],
    ['oci-archive:/a/b.tar', 'oci-archive:/a/b.tar'],
    ['docker-archive:/a/b.tar', 'docker-archive:/a/b.tar'],
  ])('reads %s as %s, and its own writing as the same', (input, text) => {
    expect(parseReference(input).text).toBe(text);
    expect(parseReference(text).text).toBe(text);
  });

  it.each([
    ['', 'it is empty'],
    ['-x', "'-x' is not a name"],
    ['--tls-verify=false', 'is not a name'],
    ['../..', "'..' is not a registry's host"],
    ['a/../b', 'is not a name'],
    ['/etc/passwd', 'is not a name'],
    ['a b', 'it has a space'],
    ['a\nb', 'a control character'],
    ['a\u001b[31m', 'a control character'],
    ['älpine', 'outside of ASCII'],
    ['Alpine', "'Alpine' is not a name"],
    ['alpine:', "its tag ''"],
    ['alpine:-x', "its tag '-x'"],
    ['alpine:a/b', "is not a registry's host"],
    [`alpine:${'t'.repeat(129)}`, 'its tag'],
    ['alpine@sha256:abc', 'its digest'],
    [`alpine@sha512:${hex}`, 'its digest'],
    [`alpine@sha256:${hex}@sha256:${hex}`, 'its digest'],
    ['registry.example:99999/a', "is not a registry's host"],
    ['registry.example:x/a', "is not a registry's host"],
    ['-registry.example/a', "is not a registry's host"],
    ['registry.example/', 'is not a name'],
    ['a'.repeat(10_000), 'longer than 4096'],
    ['a'.repeat(300), 'longer than 255'],
    ['dir:/etc', 'images in files are written'],
    ['containers-storage:alpine', 'images in files are written'],
    ['docker-daemon:alpine:latest', 'images in files are written'],
    ['docker://alpine', 'images in files are written'],
    ['https://example.com/a', 'images in files are written'],
    ['oci:relative', 'must be absolute'],
    ['oci:/a:b/c', 'must not have a colon'],
    ['oci:/a:-b', 'its tag'],
    ['docker-archive:/a.tar:x', 'takes a path'],
    [`localhost/a@sha256:${hex}`, 'no @digest'],
  ])('refuses %j: %s', (input, reason) => {
    const error = thrownBy(() => parseReference(input));
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain(reason);
    expect(error.message.length).toBeLessThan(300);
    expect(error.message).not.toMatch(/[\x00-\x1f\x7f]/);
    expect(error.hints.length).toBeGreaterThan(0);
  });

  it('keeps the defaults of all languages as they are written', () => {
    for (const name of languageNames) {
      const {defaultReference} = languageOf(name);
      expect(parseReference(defaultReference).text).toBe(defaultReference);
    }
  });
});

describe('buildahSource', () => {
  it.each([
    ['alpine', 'docker://docker.io/library/alpine:latest'],
    [`alpine:3@sha256:${hex}`, `docker://docker.io/library/alpine@sha256:${hex}`],
    ['oci:/a/B:c', 'oci:link:c'],
    ['oci-archive:/a/b.tar', 'oci-archive:link'],
  ])('writes %s as %s', (input, source) => {
    const reference = parseReference(input);
    if (reference.kind === 'local') throw new Error('not asked of buildah');
    expect(buildahSource(reference, 'link')).toBe(source);
  });
});

describe('parseLocalTag', () => {
  it.each([
    ['hello', 'localhost/hello:latest'],
    ['hello:1', 'localhost/hello:1'],
    ['localhost/a/b', 'localhost/a/b:latest'],
  ])('reads %s as %s', (input, text) => expect(parseLocalTag(input).text).toBe(text));

  it.each(['docker.io/a/b', 'a/b', 'oci:/a', '-x', ''])('refuses %j', (input) => {
    expect(thrownBy(() => parseLocalTag(input)).code).toBe('USAGE');
  });
});

it('takes only this machine for loopback', () => {
  const loopback = ['localhost', 'localhost:5000', '127.0.0.1', '127.1.2.3:1', '[::1]', '[::1]:5000'];
  const others = ['localhost.example', '127.0.0.1.example', '128.0.0.1', '[::2]', 'example:5000'];
  expect(loopback.filter((host) => !isLoopback(host))).toEqual([]);
  expect(others.filter((host) => isLoopback(host))).toEqual([]);
});

const thrownBy = (work: () => unknown): AgentError => {
  try {
    work();
  } catch (error) {
    if (error instanceof AgentError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};
