// @ts-check
import {readFileSync} from 'node:fs';
import {cpus, loadavg, release, totalmem, type} from 'node:os';

/**
 * The machine, without its name.
 * @param {{qemu: string, accelerator: string, guestKernel: string}} vmm
 */
export const describeMachine = ({qemu, accelerator, guestKernel}) => {
  const [first] = cpus();
  return {
    processor: first?.model.trim() || 'unknown processor',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    system: systemName(),
    kernel: `${type()} ${release()}`,
    node: process.versions.node,
    qemu,
    accelerator,
    guestKernel,
  };
};

/** @typedef {ReturnType<typeof describeMachine>} Machine */

export const loadNow = () => Math.round((loadavg()[0] ?? 0) * 100) / 100;

const systemName = () => {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? type();
  } catch {
    return type(); // no Linux
  }
};
