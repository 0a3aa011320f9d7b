/** The machines that this host might run, best first. All but the last are used only after a guest has booted in them. */
import type {Architecture, Host} from '../../common/host.js';

export type Accelerator = 'kvm' | 'hvf' | 'tcg';

export interface Candidate {
  /** Names it in caches and findings. */
  readonly name: string;
  readonly accelerator: Accelerator;
  readonly transport: 'pci' | 'mmio';
  readonly machine: string;
  readonly acceleratorOptions: string;
  readonly cpu: string;
  readonly kernelParameters: readonly string[];
}

export const listCandidates = ({
  platform,
  architecture,
}: Pick<Host, 'platform' | 'architecture'>): Candidate[] => {
  const hardware = platform === 'darwin' ? hvf(architecture) : kvm(architecture);
  return [...hardware, tcg(architecture)];
};

// Memory pages are neither merged with those of other VMs, which would tell them apart by time, nor dumped.
const COMMON = 'mem-merge=off,dump-guest-core=off';
// Only what a Linux without disks, USB and screen needs: each further device is code that a guest can attack.
const Q35 = `q35,hpet=on,sata=off,smbus=off,smm=off,vmport=off,usb=off,graphics=off,${COMMON}`;
const MICROVM = `microvm,x-option-roms=off,rtc=on,${COMMON}`;
const VIRT = `virt,${COMMON}`;

const kvm = (architecture: Architecture): Candidate[] => {
  const common = {accelerator: 'kvm', acceleratorOptions: 'kvm', cpu: 'host', kernelParameters: []} as const;
  return architecture === 'x86_64'
    ? [
        {...common, name: 'kvm microvm', transport: 'mmio', machine: MICROVM},
        {...common, name: 'kvm q35', transport: 'pci', machine: Q35},
      ]
    : [{...common, name: 'kvm virt', transport: 'pci', machine: `${VIRT},gic-version=host`}];
};

const hvf = (architecture: Architecture): Candidate[] => [
  {
    name: architecture === 'x86_64' ? 'hvf q35' : 'hvf virt',
    accelerator: 'hvf',
    acceleratorOptions: 'hvf',
    cpu: 'host',
    kernelParameters: [],
    transport: 'pci',
    machine: architecture === 'x86_64' ? Q35 : VIRT,
  },
];

/**
 * Under TCG `microvm` hangs at random: its ACPI has no timer to calibrate the TSC against. q35 with HPET has.
 * Nehalem is x86-64-v2 and boots faster than `max`, which has more features to emulate.
 */
const tcg = (architecture: Architecture): Candidate => ({
  name: 'tcg',
  accelerator: 'tcg',
  acceleratorOptions: 'tcg,thread=multi,tb-size=256',
  kernelParameters: [],
  transport: 'pci',
  ...(architecture === 'x86_64'
    ? {machine: Q35, cpu: 'Nehalem-v1,+rdrand'}
    : {machine: `${VIRT},gic-version=3`, cpu: 'cortex-a57'}),
});
