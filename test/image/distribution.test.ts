import {expect, it} from 'vitest';
import {chooseDistribution} from '../../src/image/distribution.js';

const debian =
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n';
const ubuntu = 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n';
const debianSources = `Types: deb
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.test/security
Suites: bookworm-security
Components: main
`;

it("takes the host's own mirror for its own suites", () => {
  const files = [{name: '/etc/apt/sources.list.d/debian.sources', text: debianSources}];
  expect(chooseDistribution({osRelease: debian, files, hasDebianKeyring: true})).toEqual({
    name: 'debian-12',
    suite: 'bookworm',
    sources: [
      'deb http://mirror.test/debian bookworm main',
      'deb http://mirror.test/debian bookworm-updates main',
      'deb http://mirror.test/security bookworm-security main',
    ],
  });
});

it("leaves other publishers' packages out", () => {
  const text = [
    'deb http://mirror.test/debian bookworm main non-free # base',
    'deb [arch=amd64 signed-by=/usr/share/keyrings/own.gpg] https://own.test/debian bookworm-updates main',
    'deb https://other.test/apt cloud-bookworm main',
    'deb file:/srv/mirror bookworm main',
    'deb-src http://mirror.test/debian bookworm main',
    '# deb http://off.test/debian bookworm main',
  ].join('\n');
  const sources = `Types: deb\nURIs: https://node.test/\nSuites: nodistro\nComponents: main\n\n${debianSources.replace('Types: deb\n', 'Enabled: no\nTypes: deb\n')}`;
  const files = [
    {name: '/etc/apt/sources.list', text},
    {name: '/etc/apt/sources.list.d/node.sources', text: sources},
  ];
  expect(chooseDistribution({osRelease: debian, files, hasDebianKeyring: true})?.sources).toEqual([
    'deb http://mirror.test/debian bookworm main',
    'deb [signed-by=/usr/share/keyrings/own.gpg] https://own.test/debian bookworm-updates main',
    'deb http://mirror.test/security bookworm-security main',
  ]);
});

it('adds universe on Ubuntu, where the languages are', () => {
  const files = [
    {name: 'sources.list', text: 'deb http://mirror.test/ubuntu noble main restricted universe\n'},
  ];
  expect(chooseDistribution({osRelease: ubuntu, files, hasDebianKeyring: false})).toEqual({
    name: 'ubuntu-24.04',
    suite: 'noble',
    sources: ['deb http://mirror.test/ubuntu noble main universe'],
  });
});

it.each([
  ['no sources of its own', [] as const],
  ['only updates', [{name: 'a.list', text: 'deb http://mirror.test/debian bookworm-updates main'}]],
])('leaves the mirrors to mmdebstrap with %s', (_, files) => {
  expect(chooseDistribution({osRelease: debian, files, hasDebianKeyring: true})).toEqual({
    name: 'debian-12',
    suite: 'bookworm',
    sources: [],
  });
});

it('names a release without a number by its code name', () => {
  const osRelease = 'ID=debian\nVERSION_CODENAME=forky\n';
  expect(chooseDistribution({osRelease, files: [], hasDebianKeyring: true})?.name).toBe('debian-forky');
});

it("builds Debian's elsewhere with its key, and nothing without", () => {
  const osRelease = 'ID=fedora\nVERSION_ID=41\n';
  expect(chooseDistribution({osRelease, files: [], hasDebianKeyring: true})?.name).toBe('debian-12');
  expect(chooseDistribution({osRelease, files: [], hasDebianKeyring: false})).toBeNull();
  expect(chooseDistribution({osRelease: '', files: [], hasDebianKeyring: false})).toBeNull();
});
