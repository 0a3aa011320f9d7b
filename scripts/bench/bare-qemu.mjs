// @ts-check
/**
 * What any VM of this kernel costs: QEMU, with the machine that VMs have here but no disk, until a static init has turned
 * it off again. Not confined, and nobody waits for anything but its end.
 */
import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {SIZE} from './machine-boots.mjs';

const DEADLINE_MS = 60_000;
const LAST_WORDS_MS = 2_000;
const SAID = 'bare-init';

/**
 * @param {import('./ground.mjs').Ground} ground
 * @returns {Promise<{qemu: string, accelerator: string, guestKernel: string, runOnce: (() => Promise<number>) | undefined}>}
 */
export const prepareBareQemu = async ({parts, env, paths, scratch, bareInit, signal}) => {
  const options = {
    cacheFolder: paths.boot,
    runtimeFolder: paths.runtime,
    templatesFolder: paths.templates,
    guestAgentPath: parts.guestAgentPath,
    env,
    withLock: withoutLock,
  };
  const found = await parts.findParts(options);
  const chosen = await parts.withFirstComplete(found, async (kernel) => {
    const request = {options, parts: found, kernel, progress: parts.silentProgress, signal, afresh: false};
    const {candidate} = await parts.machineFor(request);
    const {kernelPath} = await parts.prepareBootFiles({
      ...options,
      kernel,
      architecture: found.host.architecture,
      needs: {transport: candidate.transport, disks: true, network: false},
      guestAgentPath: found.guestAgentPath,
      signal,
    });
    return {candidate, kernelPath, guestKernel: kernel.release};
  });
  const {candidate, kernelPath, guestKernel} = chosen;
  const qemu = versionOf(found.qemuPath);
  if (bareInit === undefined)
    return {qemu, accelerator: candidate.accelerator, guestKernel, runOnce: undefined};
  const initramfsPath = join(scratch, 'bare-initramfs');
  writeFileSync(initramfsPath, bareInitramfs(parts, bareInit));
  const plan = parts.planMachine({
    ...SIZE,
    marker: `agent-bench-${process.pid}`,
    hostName: 'bare',
    architecture: found.host.architecture,
    candidate,
    kernelPath,
    initramfsPath,
    disks: null,
    template: null,
    openKernelByFd: found.host.platform === 'linux',
  });
  const bare = {parts, file: found.qemuPath, plan, signal};
  return {qemu, accelerator: candidate.accelerator, guestKernel, runOnce: () => bootBare(bare)};
};

/** There is one process, and it does one thing at a time. @template T @param {string} _name @param {() => Promise<T>} work */
const withoutLock = (_name, work) => work();

/**
 * @param {import('./load-parts.mjs').Parts} parts
 * @param {string} init
 */
const bareInitramfs = (parts, init) =>
  parts.writeCpio([
    {type: 'folder', path: 'dev'},
    {type: 'charDevice', path: 'dev/console', major: 5, minor: 1},
    {type: 'file', path: 'init', mode: 0o755, content: readFileSync(init)},
  ]);

/**
 * @param {{
 *   parts: import('./load-parts.mjs').Parts,
 *   file: string,
 *   plan: import('../../src/launcher/qemu/machine/plan-machine.js').MachinePlan,
 *   signal: AbortSignal,
 * }} options
 */
const bootBare = async ({parts, file, plan, signal}) => {
  const startedAt = performance.now();
  const vmm = await parts.spawnVmm({file, args: plan.args, env: {PATH: '/usr/bin:/bin'}, files: plan.files});
  let said = '';
  for (const stream of [vmm.console, vmm.output]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  vmm.channel.resume();
  const timer = setTimeout(vmm.kill, DEADLINE_MS);
  signal.addEventListener('abort', vmm.kill);
  const {code} = await vmm.ended;
  const ms = performance.now() - startedAt;
  clearTimeout(timer);
  signal.removeEventListener('abort', vmm.kill);
  await Promise.race([once(vmm.console, 'close'), sleep(LAST_WORDS_MS, undefined, {ref: false})]);
  // A kernel that panics ends its VMM with 0 too.
  if (code !== 0 || !said.includes(SAID))
    throw new Error(`bare QEMU ended with ${code}: ${said.slice(-300)}`);
  return ms;
};

/** @param {string} qemuPath */
const versionOf = (qemuPath) => {
  const said = execFileSync(qemuPath, ['--version'], {encoding: 'utf8', timeout: DEADLINE_MS});
  return /version ([\d.]+)/.exec(said)?.[1] ?? 'unknown';
};
