/** What a template may be used for: its key is a hash of all that a saved machine and its copies must have in common. */
import {createHash} from 'node:crypto';
import {readFileSync, statSync} from 'node:fs';
import {basename} from 'node:path';
import {fileIdentity} from '../../common/host.js';
import type {TemplateSpec} from '../../launcher.js';
import type {LaunchRequest} from '../launch.js';
import {planLaunch} from '../launch.js';
import type {Parts} from '../parts.js';
import {rootPathOf} from '../provision.js';

/** Counts up when templates are made in another way. */
const LAYOUT = 1;

/** What each template of this machine is made with. */
export interface Origin {
  readonly qemu: string;
  readonly kernel: string;
  readonly agent: string;
}

export const originOf = (parts: Pick<Parts, 'qemuPath' | 'guestAgentPath'>, kernelPath: string): Origin => ({
  qemu: fileIdentity(parts.qemuPath),
  kernel: fileIdentity(kernelPath),
  agent: createHash('sha256').update(readFileSync(parts.guestAgentPath)).digest('hex'),
});

/** Of a machine for VMs like this one: 32 hex digits. Throws MissingModuleError where this kernel will not do. */
export const keyOf = async (spec: TemplateSpec, copy: LaunchRequest): Promise<string> => {
  const {bootFiles, plan} = await planLaunch({...copy, ...NEUTRAL, disks: {...NO_DISKS, rootPath: '-'}});
  const facts = [
    LAYOUT,
    originOf(copy.parts, copy.kernel.path),
    [bootFiles.kernelPath, bootFiles.initramfsPath].map((path) => basename(path)), // the state directory may move
    plan.args,
    spec.image.digest,
    statSync(rootPathOf(spec.image)).size,
    copy.candidate.accelerator === 'tcg' ? null : hostCpu(copy.parts),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
};

// What differs between machines that may go on from the same template.
const NEUTRAL = {
  marker: 'agent',
  hostName: 'agent',
  template: {role: 'copy', savedPath: '-'},
} as const;
const NO_DISKS = {upperPath: null, persistPath: null} as const;

/** With hardware acceleration a guest sees the host's processor, and its kernel's idea of it. */
const hostCpu = ({host}: Parts): string[] => [
  host.release,
  ...new Set(
    readFileSync('/proc/cpuinfo', 'latin1').match(/^(model name|flags|Features|CPU part)\s*:.*$/gm) ?? [],
  ),
];
