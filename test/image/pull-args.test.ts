import {expect, it} from 'vitest';
import {countIds, rootPrefix} from '../../src/containers/host-root.js';
import {defaultLanguage, pullArgs} from '../../src/image/fetch.js';
import {parseReference} from '../../src/image/reference.js';

const argsFor = (text: string): readonly string[] => {
  const source = parseReference(text);
  if (source.kind === 'local') throw new Error('never pulled');
  return pullArgs({policyPath: '/policy.json', source, flags: []});
};

it('names the image last, behind the end of options', () => {
  expect(argsFor('alpine').slice(-2)).toEqual(['--', 'docker://docker.io/library/alpine:latest']);
  expect(argsFor('oci:/x/y:1').slice(-2)).toEqual(['--', 'oci:pulled-by-agent:1']);
});

it('does without TLS for registries of this machine only', () => {
  for (const text of ['localhost:5000/a', '127.0.0.1:5000/a', '[::1]:5000/a']) {
    expect(argsFor(text)).toContain('--tls-verify=false');
  }
  for (const text of ['alpine', 'localhost.test/a', '192.0.2.1:5000/a', 'oci:/x']) {
    expect(argsFor(text)).not.toContain('--tls-verify=false');
  }
});

it('does not ask for long where nobody answers, and trusts the policy that was prepared', () => {
  expect(argsFor('alpine')).toEqual(
    expect.arrayContaining(['--policy=always', '--retry=1', '--signature-policy=/policy.json']),
  );
});

it('knows the languages whose default a reference is', () => {
  expect(defaultLanguage('docker.io/library/python:3.11-slim')).toBe('python');
  expect(defaultLanguage('docker.io/library/node:20-slim')).toBe('node');
  expect(defaultLanguage('docker.io/library/alpine:latest')).toBeNull();
});

it('becomes root over the files in namespaces that end with it, with or without being root', () => {
  expect(rootPrefix(true)).not.toContain('buildah');
  expect(rootPrefix(false).join(' ')).toContain('buildah unshare -- setpriv');
  for (const isRoot of [true, false]) {
    expect(rootPrefix(isRoot).slice(0, 3)).toEqual(['setpriv', '--pdeathsig', 'KILL']);
    expect(rootPrefix(isRoot)).toEqual(expect.arrayContaining(['--mount', '--pid', '--kill-child']));
  }
});

it.each([
  ['         0          0 4294967295', 4_294_967_295],
  ['0 1000 1\n1 100000 65536\n', 65_537],
  ['0 1000 1', 1],
  ['', 0],
])('counts the ids in %j', (map, count) => expect(countIds(map)).toBe(count));
