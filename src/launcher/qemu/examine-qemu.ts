/** What `agent doctor` tells of QEMU: each part that a boot needs, and a boot. */
import {type AgentError, toAgentError} from '../../model/errors.js';
import {run} from '../../process/run.js';
import {findGuestAgent} from '../common/guest-agent.js';
import {describeHost, findProgram, type Host} from '../common/host.js';
import type {Finding, LauncherReport, LaunchOptions} from '../launcher.js';
import {withFirstComplete} from './boot.js';
import {toFinding} from './choose-machine.js';
import {missingMke2fs} from './disks.js';
import {findQemu, qemuName} from './find-qemu.js';
import type {KernelFile} from './kernel/choose-kernel.js';
import {planConfinement} from './machine/confinement.js';
import {machineFor} from './machine-for.js';
import {findParts, findTools, listKernels, missingQemu, type QemuLauncherOptions} from './parts.js';
import {probe} from './probe.js';

const TCG_DEADLINE_MS = 30_000;

export const examineQemu = async (
  options: QemuLauncherOptions,
  launchOptions: LaunchOptions,
): Promise<LauncherReport> => {
  const host = describeHost();
  const parts = [
    await lookAt(qemuName(host.architecture), async () => await qemuVersion(options, host)),
    await lookAt('guest kernel', async () => nameKernel(await listKernels(options, host))),
    await lookAt('guest agent', async () => findGuestAgent(options, host.architecture)),
    await lookAt(
      'mke2fs',
      async () => findProgram(options.env, 'mke2fs', 'mkfs.ext4') ?? raise(missingMke2fs()),
    ),
    lookAtConfinement(options, host),
  ];
  const ready = parts.slice(0, 3).every(({ok}) => ok);
  const boot = ready ? await bootTiny(options, launchOptions) : {accelerator: null, findings: []};
  return {
    launcher: 'qemu',
    usable: boot.accelerator !== null && parts.every(({ok}) => ok),
    accelerator: boot.accelerator,
    findings: [...parts, ...boot.findings],
  };
};

/** An error becomes a finding: what it says is what was seen, and its first hint is the mend. */
const lookAt = async (subject: string, look: () => Promise<string>): Promise<Finding> => {
  try {
    return {ok: true, subject, seen: await look()};
  } catch (error) {
    const {message, hints, details} = toAgentError(error);
    const seen = [message, ...details].join('; ');
    return {ok: false, subject, seen, mend: hints.length > 0 ? hints.join('; ') : 'run: agent setup'};
  }
};

const qemuVersion = async ({env}: QemuLauncherOptions, host: Host): Promise<string> => {
  const file = findQemu(env, host.architecture) ?? raise(missingQemu(host));
  const {stdout} = await run({
    file,
    args: ['--version'],
    phase: 'asking QEMU for its version',
    timeoutMs: 5_000,
  });
  return /version (\S+)/.exec(stdout)?.[1] ?? 'unknown version';
};

const nameKernel = ([best]: readonly KernelFile[]): string => `${best?.release} (${best?.path})`;

const lookAtConfinement = ({env}: QemuLauncherOptions, host: Host): Finding => {
  const tools = findTools(env);
  const subject = 'confinement of the VMM';
  if (host.platform !== 'linux') return {ok: true, subject, seen: "QEMU's own sandbox is not available here"};
  if (tools.setpriv === undefined) {
    return {ok: false, subject, seen: "'setpriv' is not installed", mend: 'install the package util-linux'};
  }
  const {uid, noNetwork} = planConfinement({
    host,
    tools,
    vmNumber: 0,
    kvmGroup: null,
    largestDiskBytes: 0,
    offline: true,
  });
  const user = uid === null ? 'runs as you' : `runs as users of its own, from ${uid}`;
  return {
    ok: true,
    subject,
    seen: `seccomp, ${user}${noNetwork ? ', empty network for --network none' : ''}`,
  };
};

const bootTiny = async (
  options: QemuLauncherOptions,
  {progress, signal}: LaunchOptions,
): Promise<{accelerator: string | null; findings: readonly Finding[]}> => {
  try {
    const parts = await findParts(options);
    return await withFirstComplete(parts, async (kernel) => {
      const choice = await machineFor({options, parts, kernel, progress, signal, afresh: true});
      const {candidate, findings} = choice;
      if (candidate.accelerator !== 'tcg') return {accelerator: candidate.accelerator, findings};
      progress.step('booting a tiny guest');
      const request = {parts, cacheFolder: options.cacheFolder, kernel, candidate, kvmGroup: null, signal};
      const result = await probe({...request, deadlineMs: TCG_DEADLINE_MS});
      return {accelerator: result.ok ? 'tcg' : null, findings: [...findings, toFinding(candidate, result)]};
    });
  } catch (error) {
    signal.throwIfAborted();
    const {message, details, hints} = toAgentError(error);
    const seen = [message, ...details].join('; ');
    return {accelerator: null, findings: [{ok: false, subject: 'boot', seen, mend: hints.join('; ')}]};
  }
};

const raise = (error: AgentError): never => {
  throw error;
};
