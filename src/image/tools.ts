/** Whether the host programs that a step needs are installed. */
import {constants} from 'node:fs';
import {access} from 'node:fs/promises';
import {join} from 'node:path';
import type {Env} from '../containers/settings.js';
import {AgentError} from '../model/errors.js';

/** Throws PROCESS_FAILED with the mend where one is missing. */
export const requireTools = async (options: {
  readonly tools: readonly string[];
  readonly env: Env;
}): Promise<void> => {
  const missing: string[] = [];
  for (const tool of options.tools) {
    if (!(await hasTool({tool, env: options.env}))) missing.push(tool);
  }
  if (missing.length === 0) return;
  const names = missing.map((name) => `'${name}'`).join(', ');
  throw new AgentError('PROCESS_FAILED', `${names} ${missing.length === 1 ? 'is' : 'are'} not installed.`, {
    hints: ['run: agent setup', 'agent doctor shows what this machine lacks'],
  });
};

const hasTool = async (options: {readonly tool: string; readonly env: Env}): Promise<boolean> => {
  for (const folder of (options.env.PATH ?? '').split(':')) {
    if (folder !== '' && (await isExecutable(join(folder, options.tool)))) return true;
  }
  return false;
};

const isExecutable = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
