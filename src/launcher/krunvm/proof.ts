/** What was found out about krunvm on this machine by booting: remembered until it reboots or its programs change. */
import {toAgentError} from '../../model/errors.js';
import {findGuestAgent} from '../common/guest-agent.js';
import {architectureOf, fileIdentity, findProgram} from '../common/host.js';
import {decideKvmAccess, readKvmNode} from '../common/kvm-access.js';
import {createMemory, finding, type Memory} from '../common/remembered.js';
import type {Finding} from '../launcher.js';
import type {Krunvm} from './commands.js';
import {type ProbeRequest, probe} from './probe.js';
import {bootIdentity} from './tools.js';

/** `afresh`: boot again, whatever is remembered. */
export const proveByBooting = async (
  request: ProbeRequest & {readonly afresh: boolean},
): Promise<Finding> => {
  const memory = await openMemory(request);
  const remembered = request.afresh ? undefined : await memory.read();
  if (remembered) return remembered;
  request.launch.progress.step('trying whether krunvm can boot guests here (once per reboot)');
  const {finding, isLasting} = await probe(request);
  if (isLasting) await memory.write(finding);
  return finding;
};

const openMemory = async ({host: {krunvm}, options}: ProbeRequest): Promise<Memory<Finding>> => {
  const {env, runtimeFolder} = options;
  const facts = [
    await bootIdentity(),
    fileIdentity(krunvm.program),
    fileIdentity(findProgram(env, 'buildah') ?? krunvm.program),
    fileIdentity(findGuestAgent(options, architectureOf(process.arch))),
    JSON.stringify([options.containersFolder, krunvm.isRoot, kvmFinding(krunvm)]),
  ];
  return createMemory({runtimeFolder, name: 'krunvm', facts, shape: finding});
};

export const KVM = '/dev/kvm';

/** krunvm runs as we do. Null on macOS, where there is no such file. */
export const kvmFinding = ({platform}: Pick<Krunvm, 'platform'>): Finding | null => {
  if (platform === 'darwin') return null;
  const access = decideKvmAccess(readKvmNode(), false);
  const subject = KVM;
  return access.ok
    ? {ok: true, subject, seen: 'can be opened'}
    : {ok: false, subject, seen: access.seen, mend: access.mend};
};

/** An error becomes a finding: what it says is what was seen, and its hints are the mend. */
export const toFinding = (subject: string, thrown: unknown): Finding => {
  const {message, details, hints} = toAgentError(thrown);
  return {
    ok: false,
    subject,
    seen: [message, ...details].join('; '),
    mend: hints.join('; ') || 'run: agent setup',
  };
};
