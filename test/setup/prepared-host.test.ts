import {accessSync, constants} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {preparedEnvironment, setupScript} from '../../scripts/prepare/host.mjs';

describe('setupScript', () => {
  for (const platform of ['linux', 'darwin'] as const) {
    it(`names a script for ${platform} that is there and can be started`, () => {
      const script = setupScript(platform);
      expect(script).toContain(platform === 'linux' ? 'linux' : 'macos');
      expect(() => accessSync(script ?? '', constants.X_OK)).not.toThrow();
    });
  }

  it('names none elsewhere', () => expect(setupScript('win32')).toBeUndefined());
});

describe('preparedEnvironment', () => {
  it('leaves Linux as it is', () => {
    expect(preparedEnvironment({platform: 'linux', env: {PATH: '/bin'}, home: '/home/jo'})).toEqual({});
  });

  it('is on a Mac what its .env says', () => {
    expect(preparedEnvironment({platform: 'darwin', env: {PATH: '/bin'}, home: '/Users/jo'})).toEqual({
      AGENT_STATE_DIR: '/Users/jo/agentVM',
      AGENT_LAUNCHER: 'krunvm',
      PATH: '/bin:/opt/homebrew/bin',
    });
  });

  it("keeps a user's own", () => {
    const env = {PATH: '/bin', AGENT_STATE_DIR: '/elsewhere', AGENT_LAUNCHER: 'qemu'};
    expect(preparedEnvironment({platform: 'darwin', env, home: '/Users/jo'})).toMatchObject({
      AGENT_STATE_DIR: '/elsewhere',
      AGENT_LAUNCHER: 'qemu',
    });
  });
});
