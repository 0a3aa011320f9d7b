/** Picks the machine to boot VMs in: the first that has booted a tiny guest here; TCG needs no proof. */
import {AgentError} from '../../model/errors.js';
import type {Progress} from '../../model/progress.js';
import type {KvmAccess} from '../common/kvm-access.js';
import type {Finding} from '../launcher.js';
import type {Candidate} from './machine/candidates.js';
import type {ProbeResult} from './probe.js';

export interface MachineChoice {
  readonly candidate: Candidate;
  readonly kvmGroup: number | null;
  /** What was tried before, and how it went. */
  readonly findings: readonly Finding[];
}

export interface ChooseRequest {
  readonly candidates: readonly Candidate[];
  readonly kvmAccess: KvmAccess;
  readonly probe: (candidate: Candidate, kvmGroup: number | null) => Promise<ProbeResult>;
  readonly progress: Progress;
}

/** Hardware that cannot boot a guest in this time is no gain over none. */
export const PROBE_DEADLINE_MS = 6_000;

export const chooseMachine = async (request: ChooseRequest): Promise<MachineChoice> => {
  const findings: Finding[] = [];
  for (const candidate of request.candidates) {
    const group = accessTo(candidate, request, findings);
    if (group === undefined) continue;
    if (candidate.accelerator === 'tcg') return {candidate, kvmGroup: null, findings};
    request.progress.step(`trying whether ${candidate.accelerator} can boot guests here (once per reboot)`);
    const result = await request.probe(candidate, group);
    findings.push(toFinding(candidate, result));
    if (result.ok) return {candidate, kvmGroup: group, findings};
  }
  throw new AgentError('LAUNCHER_UNAVAILABLE', 'QEMU has no accelerator here.');
};

/** The group to keep, or undefined where the VMM cannot use the candidate's accelerator; said once. */
const accessTo = (
  {accelerator}: Candidate,
  {kvmAccess}: ChooseRequest,
  findings: Finding[],
): number | null | undefined => {
  if (accelerator !== 'kvm') return null;
  if (kvmAccess.ok) return kvmAccess.group;
  if (!findings.some(({subject}) => subject === KVM)) {
    findings.push({ok: false, subject: KVM, seen: kvmAccess.seen, mend: kvmAccess.mend});
  }
  return undefined;
};

const KVM = '/dev/kvm';

export const toFinding = (candidate: Candidate, result: ProbeResult): Finding =>
  result.ok
    ? {
        ok: true,
        subject: `boot with ${candidate.name}`,
        seen: `kernel ${result.kernel} after ${result.elapsedMs} ms`,
      }
    : {
        ok: false,
        subject: `boot with ${candidate.name}`,
        seen: result.seen,
        mend:
          candidate.accelerator === 'tcg'
            ? 'see the last words of the guest above; another kernel: AGENT_KERNEL=/path/to/vmlinuz'
            : 'guests run without it, which is slower; check that nested virtualisation is complete here',
      };
