import {describe, expect, it} from 'vitest';
import {parseReference} from '../../src/image/reference.js';
import {classifyPull, pullError, unreachable} from '../../src/image/registry-error.js';

const source = (text: string) => {
  const reference = parseReference(text);
  if (reference.kind === 'local') throw new Error('not asked of a registry');
  return reference;
};

// Lines as buildah 1.28 wrote them, unless said.
describe('classifyPull', () => {
  it.each([
    [
      'unreachable',
      'pinging container registry r.test: Get "https://r.test/v2/": dial tcp: lookup r.test: no such host',
    ],
    [
      'unreachable',
      'pinging container registry 127.0.0.1:1: Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    ['unreachable', 'dial tcp 192.0.2.1:443: connect: no route to host'],
    ['unreachable', 'dial tcp 192.0.2.1:443: i/o timeout'],
    ['unreachable', 'Get "https://r.test/v2/": proxyconnect tcp: dial tcp: connection refused'],
    ['unreachable', 'Get "https://r.test/v2/": EOF'],
    [
      'unreachable',
      'reading manifest 1 in r.test/busy: received unexpected HTTP status: 503 Service Unavailable',
    ],
    ['unreachable', 'toomanyrequests: You have reached your pull rate limit.'],
    [
      'other-platform',
      'locating pulled image "localhost/x" name in containers storage: localhost/x: image not known',
    ],
    ['untrusted', "x509: cannot validate certificate for r.test because it doesn't contain any IP SANs"],
    ['untrusted', 'http: server gave HTTP response to HTTPS client'],
    ['unknown', 'reading manifest 2 in 127.0.0.1:5000/ok: manifest unknown'],
    ['unknown', 'reading manifest 1 in 127.0.0.1:5000/none: name unknown'],
    ['unknown', 'initializing source oci:/nonexist:1: open /nonexist/index.json: no such file or directory'],
    ['unknown', 'no descriptor found for reference "x"'],
    ['denied', 'reading manifest 1 in r.test/denied: unauthorized'],
    ['denied', 'reading manifest latest in docker.io/library/x: requested access to the resource is denied'],
    ['denied', 'reading manifest 1 in r.test/a: denied: permission'],
    ['other-platform', 'no image found in image index for architecture amd64, variant "", OS linux'],
    ['other-platform', 'no image found in manifest list for architecture amd64'],
    ['damaged', 'Digest did not match, expected sha256:2a1b, got sha256:5094'],
    ['damaged', 'storing blob to file "/x/1": happened during read: unexpected EOF'],
    ['disk-full', 'writing blob: storing blob to file: write /x/1: no space left on device'],
    ['other', 'something that nobody has seen'],
  ])('takes for %s: %s', (failure, text) => expect(classifyPull(text)).toBe(failure));
});

describe('pullError', () => {
  const lines = ['Trying to pull x...', 'Error: dial tcp: lookup registry.test: no such host'];

  it("names the registry and the reference, and how to build the language's image", () => {
    const error = pullError({
      source: source('python:3.11-slim'),
      language: 'python',
      lines,
      canBuild: true,
      cause: undefined,
    });
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.message).toBe(
      "The registry docker.io cannot be reached for 'docker.io/library/python:3.11-slim'.",
    );
    expect(error.details).toEqual([lines[1]]);
    expect(error.hints[0]).toBe('build it here instead: agent image build python');
    expect(error.hints[1]).toContain('HTTPS_PROXY');
  });

  it('names all four languages for a reference that is no default', () => {
    const {hints} = pullError({
      source: source('r.test/a'),
      language: null,
      lines,
      canBuild: true,
      cause: undefined,
    });
    for (const name of ['python', 'node', 'ruby', 'golang']) expect(hints[0]).toContain(name);
  });

  it('tells a refusal from silence', () => {
    const said = ['Error: reading manifest 1 in r.test/a: unauthorized'];
    const error = pullError({
      source: source('r.test/a:1'),
      language: null,
      lines: said,
      canBuild: true,
      cause: undefined,
    });
    expect(error.code).toBe('IMAGE_NOT_FOUND');
    expect(error.hints).toContain('if it is private: buildah login r.test');
  });

  it('shows no control characters of a registry', () => {
    const said = ['Error: \u001b]0;x\u0007 manifest unknown \u001b[31mred'];
    const {details} = pullError({
      source: source('r.test/a'),
      language: null,
      lines: said,
      canBuild: true,
      cause: undefined,
    });
    expect(details[0]).toBe('Error:  ]0;x  manifest unknown red');
  });

  it('leaves out what buildah says while it tries again', () => {
    const said = [
      'time="x" level=warning msg="Failed, retrying in 1s ... Error: no such host"',
      'Error: no such host',
    ];
    expect(
      pullError({source: source('r.test/a'), language: null, lines: said, canBuild: true, cause: undefined})
        .details,
    ).toEqual(['Error: no such host']);
  });
});

it('says of a certificate that it is not trusted', () => {
  const {hints} = unreachable(
    {source: source('r.test/a'), language: null, canBuild: true, cause: undefined},
    ['x509: unknown authority'],
  );
  expect(hints[1]).toContain('certificate');
});
