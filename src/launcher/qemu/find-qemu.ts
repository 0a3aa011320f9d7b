/** Where QEMU is, by the guest's architecture. */
import {type Architecture, type Environment, findProgram, isExecutable} from '../common/host.js';

export const qemuName = (architecture: Architecture): string => `qemu-system-${architecture}`;

export const findQemu = (env: Environment, architecture: Architecture): string | undefined =>
  findProgram(env, qemuName(architecture)) ?? ['/usr/libexec/qemu-kvm'].find(isExecutable);
