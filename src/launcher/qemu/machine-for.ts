/** The machine that VMs boot in with a given kernel: found out by booting, then remembered. */
import type {Progress} from '../../model/progress.js';
import {listOf, object, text} from '../../model/shape.js';
import {fileIdentity} from '../common/host.js';
import {decideKvmAccess, type KvmAccess, readKvmNode} from '../common/kvm-access.js';
import {createMemory, finding} from '../common/remembered.js';
import {chooseMachine, type MachineChoice, PROBE_DEADLINE_MS} from './choose-machine.js';
import type {KernelFile} from './kernel/choose-kernel.js';
import {listCandidates} from './machine/candidates.js';
import {planConfinement} from './machine/confinement.js';
import type {Parts, QemuLauncherOptions} from './parts.js';
import {probe} from './probe.js';

export interface MachineForRequest {
  readonly options: QemuLauncherOptions;
  readonly parts: Parts;
  readonly kernel: KernelFile;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Probe again, whatever is remembered. */
  readonly afresh: boolean;
}

const remembered = object({candidate: text, findings: listOf(finding)});

export const machineFor = async (request: MachineForRequest): Promise<MachineChoice> => {
  const {options, parts, kernel, progress, signal} = request;
  const {host, qemuPath} = parts;
  const candidates = listCandidates(host);
  const node = readKvmNode();
  const access = decideKvmAccess(node, changesUser(parts));
  const facts = [host.bootId, fileIdentity(qemuPath), fileIdentity(kernel.path), JSON.stringify(access)];
  const {runtimeFolder} = options;
  const cache = createMemory({runtimeFolder, name: 'machine', facts, shape: remembered});
  const found = request.afresh ? undefined : await cache.read();
  const known = candidates.find(({name}) => name === found?.candidate);
  if (known && found) {
    return {candidate: known, kvmGroup: groupFor(known.accelerator, access), findings: found.findings};
  }
  const choice = await chooseMachine({
    candidates,
    kvmAccess: access,
    progress,
    probe: async (candidate, kvmGroup) =>
      await probe({
        parts,
        cacheFolder: options.cacheFolder,
        kernel,
        candidate,
        kvmGroup,
        signal,
        deadlineMs: PROBE_DEADLINE_MS,
      }),
  });
  await cache.write({candidate: choice.candidate.name, findings: [...choice.findings]});
  return choice;
};

const groupFor = (accelerator: string, access: KvmAccess): number | null =>
  accelerator === 'kvm' && access.ok ? access.group : null;

const changesUser = ({host, tools}: Parts): boolean =>
  planConfinement({host, tools, vmNumber: 0, kvmGroup: null, largestDiskBytes: 0, offline: true}).uid !==
  null;
