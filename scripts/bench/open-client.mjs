// @ts-check
/** A client of a running VM's monitor that stays open: what the command line is, without its own start and end. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const SOURCE = `
export {connectMonitor} from './src/monitor/connect-monitor.ts';
export {socketPath} from './src/monitor/socket-path.ts';
export {resolveStatePaths} from './src/state/state-paths.ts';
`;

/**
 * @param {string} root of the clone
 * @returns {Promise<Pick<typeof import('../../src/monitor/connect-monitor.js'), 'connectMonitor'>
 *   & Pick<typeof import('../../src/monitor/socket-path.js'), 'socketPath'>
 *   & Pick<typeof import('../../src/state/state-paths.js'), 'resolveStatePaths'>>}
 */
const loadSource = async (root) => {
  const {build} = await import('esbuild');
  const folder = mkdtempSync(join(tmpdir(), 'agent-bench-'));
  const outfile = join(folder, 'client.mjs');
  try {
    await build({
      stdin: {contents: SOURCE, resolveDir: root, loader: 'ts'},
      bundle: true,
      format: 'esm',
      platform: 'node',
      outfile,
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, {recursive: true});
  }
};

/**
 * @param {string} root of the clone
 * @param {string} id of a VM that is up
 */
export const openClient = async (root, id) => {
  const {connectMonitor, socketPath, resolveStatePaths} = await loadSource(root);
  const uid = process.getuid?.() ?? 0;
  const paths = resolveStatePaths({env: process.env, uid});
  const socket = socketPath({stateFolder: paths.root, runtimeFolder: paths.runtime, uid}, id);
  const {signal} = new AbortController();
  return await connectMonitor({id, socket, folder: join(paths.vms, id)}, {signal});
};
