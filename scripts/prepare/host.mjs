// @ts-check
/** What differs between Linux and macOS when a clone is prepared. */
import {join} from 'node:path';

/**
 * The script that installs system packages, relative to the clone; undefined where agent does not run.
 * @param {NodeJS.Platform} platform
 */
export const setupScript = (platform = process.platform) => {
  if (platform === 'linux') return 'scripts/linux/setup.sh';
  return platform === 'darwin' ? 'scripts/macos/setup.sh' : undefined;
};

/**
 * What the .env of scripts/macos/setup.sh gives a terminal, for the programs that run before anybody has sourced it.
 * What the user exported wins. Nothing on Linux.
 * @param {{platform: NodeJS.Platform, env: NodeJS.ProcessEnv, home: string}} host
 * @returns {NodeJS.ProcessEnv}
 */
export const preparedEnvironment = ({platform, env, home}) => {
  if (platform !== 'darwin') return {};
  return {
    AGENT_STATE_DIR: env.AGENT_STATE_DIR || join(home, 'agentVM'),
    AGENT_LAUNCHER: env.AGENT_LAUNCHER || 'krunvm',
    // krunvm calls brew, and brew brings zig.
    PATH: `${env.PATH}:/opt/homebrew/bin`,
  };
};
