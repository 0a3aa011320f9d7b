import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {TestProject} from 'vitest/node';
import {printFigures} from './figures.ts';
import {buildOuterRoot} from './outer-root.ts';

export interface NestedRun {
  /** What `scripts/nested/fetch.mjs` fetched. */
  readonly parts: string;
  /** The outer guest's root image. */
  readonly rootImage: string;
  /** For what is made on the way; removed at the end. */
  readonly folder: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    nested: NestedRun;
  }
}

export default (project: TestProject): (() => void) => {
  const parts = process.env.AGENT_NESTED_PARTS;
  if (!parts) throw new Error('Run this with npm run test:nested.');
  const folder = mkdtempSync(join(tmpdir(), 'agent-nested-'));
  project.provide('nested', {parts, folder, rootImage: buildOuterRoot(parts, folder)});
  return () => {
    printFigures(folder);
    rmSync(folder, {recursive: true, force: true});
  };
};
