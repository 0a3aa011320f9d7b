// @ts-check
/** Where one run of the bench works: a state directory of its own, on the prepared images, and the command line on it. */
import {mkdirSync, mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';
import {buildCPrograms} from './c-programs.mjs';
import {loadParts} from './load-parts.mjs';
import {measure} from './measure.mjs';

const CLEAN_DEADLINE_MS = 120_000;

/** @param {{root: string, signal: AbortSignal}} options `root`: of the clone */
export const makeGround = async ({root, signal}) => {
  const scratch = mkdtempSync(join(tmpdir(), 'agent-bench-'));
  try {
    const parts = await loadParts();
    const uid = process.getuid?.() ?? 0;
    const prepared = parts.resolveStatePaths({env: process.env, uid});
    const state = makeState(join(scratch, 'state'), prepared);
    const env = environment(state);
    const programs = buildCPrograms(scratch);
    const place = {cwd: root, runMeasured: programs?.runMeasured, signal};
    return {
      root,
      scratch,
      parts,
      signal,
      env,
      paths: parts.resolveStatePaths({env, uid}),
      uid,
      bareInit: programs?.bareInit,
      /** @param {string} name a state directory beside the first, with the same images */
      moreState: (name) => makeState(join(scratch, name), prepared),
      /**
       * Any program of this machine, to its end.
       * @param {string} file
       * @param {readonly string[]} args
       */
      run: (file, args) => measure({...place, file, args, env}),
      /**
       * `agent ARGS`, to its end.
       * @param {readonly string[]} args
       * @param {AgentOptions} [options]
       */
      agent: (args, {env: more = {}, ...options} = {}) =>
        measure({
          ...place,
          ...options,
          file: process.execPath,
          args: [join(root, 'bin', 'run.js'), ...args],
          env: {...env, ...more},
        }),
      /** What others need not know of this machine. @param {string} text */
      clean: (text) => withoutPaths(text, {scratch, root}),
      /** Ends all of its VMs, whatever was interrupted, and removes what it has made. */
      remove: async () => {
        try {
          await measure({
            cwd: root,
            runMeasured: undefined,
            file: process.execPath,
            args: [join(root, 'bin', 'run.js'), 'vm', 'clean', '--all'],
            env,
            deadlineMs: CLEAN_DEADLINE_MS,
          });
        } finally {
          rmSync(scratch, {recursive: true, force: true});
        }
      },
    };
  } catch (error) {
    rmSync(scratch, {recursive: true, force: true});
    throw error;
  }
};

/** @typedef {Awaited<ReturnType<typeof makeGround>>} Ground */
/** @typedef {{env?: NodeJS.ProcessEnv, leavesProcesses?: boolean, deadlineMs?: number}} AgentOptions */

/** Start from no template, or from one. */
export const COLD = {AGENT_TEMPLATES: 'off'};
export const WARM = {AGENT_TEMPLATES: 'auto'};

/**
 * @param {string} path
 * @param {Pick<import('../../src/state/state-paths.js').StatePaths, 'images' | 'boot'>} prepared
 */
const makeState = (path, {images, boot}) => {
  mkdirSync(path, {mode: 0o700});
  symlinkSync(images, join(path, 'images'));
  symlinkSync(boot, join(path, 'boot'));
  return path;
};

/** @param {string} state @returns {NodeJS.ProcessEnv} */
const environment = (state) => {
  const {AGENT_TEMPLATES: _, ...env} = process.env;
  return {...env, NO_COLOR: '1', AGENT_LAUNCHER: 'qemu', AGENT_STATE_DIR: state};
};

/**
 * @param {string} text
 * @param {{scratch: string, root: string}} places
 */
const withoutPaths = (text, {scratch, root}) =>
  text.replaceAll(scratch, '<scratch>').replaceAll(root, '<clone>').replaceAll(homedir(), '~');
