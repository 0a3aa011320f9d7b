/** What tests of refused commands look at: the one error, and whether anything was left behind. */
import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import type {AgentResult} from './agent.js';

/** Names and sizes of all files; times of folders would tell of what came and went. */
export const contentOf = (path: string): string[] =>
  readdirSync(path, {recursive: true, encoding: 'utf8'})
    .filter((name) => !name.startsWith('images') && !name.startsWith('boot') && !name.endsWith('-lock'))
    .map((name) => `${name} ${statSync(join(path, name)).size}`)
    .sort();

/** The only line of standard error. */
export const errorOf = (result: AgentResult): Record<string, unknown> => {
  const lines = result.stderr.trim().split('\n');
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
};
