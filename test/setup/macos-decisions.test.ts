import {spawnSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';

/** What one function of scripts/macos/decisions.sh answers, and its exit code. */
const decide = (name: string, args: readonly string[], input = '') => {
  const {status, stdout, stderr} = spawnSync(
    'sh',
    ['-euc', '. scripts/macos/decisions.sh; "$@"', 'sh', name, ...args],
    {encoding: 'utf8', input},
  );
  expect(stderr).toBe('');
  return {said: stdout.trimEnd(), ok: status === 0};
};
const say = (name: string, args: readonly string[], input = ''): string => decide(name, args, input).said;

describe('judge_macos', () => {
  const verdicts = {
    '13.7.1': 'old',
    '14.0': 'compiles',
    '15.6.1': 'ok',
    '26.1': 'ok',
    '': 'unknown',
    beta: 'unknown',
  };
  for (const [version, verdict] of Object.entries(verdicts)) {
    it(`calls '${version}' ${verdict}`, () => expect(say('judge_macos', [version])).toBe(verdict));
  }
});

describe('is_version_at_least', () => {
  const pairs: readonly [string, string, boolean][] = [
    ['0.2.5', '0.2.5', true],
    ['0.2.10', '0.2.5', true],
    ['1', '0.2.5', true],
    ['0.2', '0.2.5', false],
    ['0.1.9', '0.2.5', false],
  ];
  for (const [have, want, answer] of pairs) {
    it(`${have} is ${answer ? '' : 'not '}at least ${want}`, () =>
      expect(decide('is_version_at_least', [have, want]).ok).toBe(answer));
  }
});

describe('judge_krunvm', () => {
  it('reads the newest of what Homebrew lists, without its revision', () => {
    expect(say('judge_krunvm', [], 'krunvm 0.2.4 0.2.6_1\n')).toBe('ok');
    expect(say('judge_krunvm', [], 'krunvm 0.2.4_3\n')).toBe('old 0.2.4');
  });

  it('has nothing against a krunvm that Homebrew does not know', () => {
    expect(say('judge_krunvm', [])).toBe('ok');
  });
});

describe('plist_value', () => {
  const plist =
    '<dict>\n\t<key>Empty</key>\n\t<string></string>\n\t<key>Near</key><string>x &amp; y &lt;z&gt;</string>\n' +
    '\t<key>Yes</key>\n\t<true/>\n\t<key>Number</key>\n\t<integer>42</integer>\n\t<key>Dict</key>\n\t<dict/>\n</dict>\n';
  const values = {Empty: '', Near: 'x & y <z>', Yes: 'true', Number: '42', Dict: '', Absent: ''};
  for (const [key, value] of Object.entries(values)) {
    it(`reads ${key}`, () => expect(say('plist_value', [key], plist)).toBe(value));
  }
});

describe('judge_volume', () => {
  const volume = (filesystem: string, mount: string): string =>
    `<dict>\n<key>DeviceIdentifier</key>\n<string>disk3s7</string>\n<key>FilesystemName</key>\n<string>${filesystem}</string>\n` +
    `<key>MountPoint</key>\n<string>${mount}</string>\n</dict>\n`;
  const verdicts: readonly [string, string, string][] = [
    ['Case-sensitive APFS', '/Volumes/krunvm 1', 'ready /Volumes/krunvm 1'],
    ['Case-sensitive Journaled HFS+', '/Volumes/old', 'ready /Volumes/old'],
    ['Case-sensitive APFS', '', 'unmounted disk3s7'],
    ['', '', 'unmounted disk3s7'],
    ['APFS', '/Volumes/krunvm', 'insensitive APFS'],
    ['APFS', '', 'insensitive APFS'],
    ['', '/Volumes/odd', 'insensitive unknown file system'],
  ];
  for (const [filesystem, mount, verdict] of verdicts) {
    it(`says '${verdict}' to '${filesystem}' at '${mount}'`, () =>
      expect(say('judge_volume', [], volume(filesystem, mount))).toBe(verdict));
  }
});

describe('judge_container', () => {
  const disk = (free: string): string =>
    `<key>APFSContainerFree</key>\n<integer>${free}</integer>\n<key>APFSContainerReference</key>\n<string>disk3</string>\n`;

  it('wants room for a few guest images', () => {
    expect(say('judge_container', [], disk('5000000000'))).toBe('room disk3');
    expect(say('judge_container', [], disk('4999999999'))).toBe('full 4999999999');
    expect(say('judge_container', [], disk('8000000000000'))).toBe('room disk3');
  });

  it('knows a disk that is no APFS', () => {
    expect(say('judge_container', [], '<key>FilesystemName</key>\n<string>HFS+</string>\n')).toBe('none');
  });
});

describe('judge_machine', () => {
  it('tells an Intel Mac from a terminal that Rosetta runs', () => {
    expect(say('judge_machine', ['arm64', '0'])).toBe('ok');
    expect(say('judge_machine', ['x86_64', '1'])).toBe('rosetta');
    expect(say('judge_machine', ['x86_64', ''])).toBe('intel');
  });
});

describe('storage_volume', () => {
  const files: Readonly<Record<string, readonly [string, string]>> = {
    'a plain one': ['version = 1\nstorage_volume = "/Volumes/krunvm"\n[vmconfig_map]\n', '/Volumes/krunvm'],
    'one with escapes': ['storage_volume="/Volumes/a \\"b\\" \\\\c" # mine', '/Volumes/a "b" \\c'],
    'a literal string': ["storage_volume = '/Volumes/a b'\r\n", '/Volumes/a b'],
    'an empty one': ['storage_volume = ""\n', ''],
    'none in the name of a VM': ['[vmconfig_map.x]\nstorage_volume = "/no"\n', ''],
  };
  for (const [what, [toml, volume]] of Object.entries(files)) {
    it(`reads ${what}`, () => expect(say('storage_volume', [], toml)).toBe(volume));
  }

  it('reads back what was written, whatever is in the name', () => {
    for (const volume of ['/Volumes/krunvm 1', '/Volumes/a"b\\c', "/Volumes/o'neil"]) {
      expect(say('storage_volume', [], say('with_storage_volume', [volume]))).toBe(volume);
    }
  });
});

describe('with_storage_volume', () => {
  it('puts a line before the first table, and leaves every other line alone', () => {
    const before =
      'version = 1\ndefault_cpus = 2\n\n[vmconfig_map.mine]\nname = "mine"\nstorage_volume = "odd"';
    expect(say('with_storage_volume', ['/V'], before)).toBe(
      before.replace('[vmconfig_map.mine]', 'storage_volume = "/V"\n\n[vmconfig_map.mine]'),
    );
  });

  it('adds the line to a file without tables', () => {
    expect(say('with_storage_volume', ['/V'], 'version = 1')).toBe('version = 1\nstorage_volume = "/V"');
  });
});

describe('missing_env_lines', () => {
  it('quotes what a shell would take apart', () => {
    const lines = say('missing_env_lines', ["/Users/o'neil/agent VM", '']);
    const {stdout} = spawnSync(
      'sh',
      ['-c', `${lines}\nprintf '%s|%s' "$AGENT_STATE_DIR" "$AGENT_LAUNCHER"`],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout).toBe("/Users/o'neil/agent VM|krunvm");
  });

  it('knows a variable that is set without export, and one that only looks like it', () => {
    expect(say('missing_env_lines', ['/s', ''], '  AGENT_LAUNCHER=qemu\n# AGENT_STATE_DIR=/x\n')).toBe(
      "export AGENT_STATE_DIR='/s'",
    );
  });
});

describe('shown_path', () => {
  it('writes a tilde where that is safe to type', () => {
    expect(say('shown_path', ['/Users/jo/agentVM/.env', '/Users/jo'])).toBe('~/agentVM/.env');
    expect(say('shown_path', ['/Users/jo/a b/.env', '/Users/jo'])).toBe("'/Users/jo/a b/.env'");
    expect(say('shown_path', ['/elsewhere/.env', '/Users/jo'])).toBe("'/elsewhere/.env'");
  });
});
