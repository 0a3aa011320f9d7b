/**
 * The launchers that the contract is kept by, and the only place that tells them apart: each test runs on all of them,
 * and one that has to know more asks for a line of `Differences`.
 */
import {fileURLToPath} from 'node:url';
import type {LauncherName} from '../../src/model/launcher-name.js';

export interface Differences {
  /**
   * This machine's loopback, as a guest with a network calls it. QEMU's user network is a network of its own, with this
   * machine as its gateway. libkrun makes the guest's connections in the VMM: the guest's loopback is this machine's.
   */
  readonly hostLoopback: string;
  /**
   * Whether the guest has a kernel and a memory of its own. QEMU's has. That of krunvm's test double is a confined
   * process of this machine: it cannot panic, switch itself off or kill its process 1, and its memory is a limit for
   * each of its processes.
   */
  readonly hasOwnKernel: boolean;
  /** Whether the guest agent is process 1, which nothing in the guest can kill. libkrun has an init of its own for that. */
  readonly agentIsFirst: boolean;
  /** Makes a boot last: that of the double is over before a second command has begun. */
  readonly slowBoot: Readonly<Record<string, string>>;
  /** VMs that run at once. A guest of QEMU's computes in software, and two cores are no more than what a few need. */
  readonly atOnce: number;
}

export interface LauncherCase {
  readonly name: LauncherName;
  readonly differences: Differences;
}

export const launchers: readonly LauncherCase[] = [
  {
    name: 'qemu',
    differences: {hostLoopback: '10.0.2.2', hasOwnKernel: true, agentIsFirst: true, slowBoot: {}, atOnce: 5},
  },
  {
    name: 'krunvm',
    differences: {
      hostLoopback: '127.0.0.1',
      hasOwnKernel: false,
      agentIsFirst: false,
      slowBoot: {KRUNVM_DOUBLE: 'slow-start=3000'},
      atOnce: 20,
    },
  },
];

const doubles = fileURLToPath(new URL('../fixtures/bin', import.meta.url));

/** For a command line that finds krunvm's test double, and makes VMs with this launcher. */
export const environmentFor = ({name}: Pick<LauncherCase, 'name'>): Readonly<Record<string, string>> => ({
  PATH: `${doubles}:${process.env.PATH}`,
  AGENT_LAUNCHER: name,
});
