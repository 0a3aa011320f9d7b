import type {TestProject} from 'vitest/node';
import {printFigures} from './figures.ts';
import {buildOuterRoot} from './outer-root.ts';

export interface NestedRun {
  /** What `scripts/nested/fetch.mjs` fetched. */
  readonly parts: string;
  /** The outer guest's root image. */
  readonly rootImage: string;
  /** For what is made on the way; removed by who started the run. */
  readonly folder: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    nested: NestedRun;
  }
}

export default (project: TestProject): (() => void) => {
  const {AGENT_NESTED_PARTS: parts, AGENT_NESTED_FOLDER: folder} = process.env;
  if (!parts || !folder) throw new Error('Run this with npm run test:nested.');
  project.provide('nested', {parts, folder, rootImage: buildOuterRoot(parts, folder)});
  return () => printFigures(folder);
};
