/** The guest kernel's command line: for the kernel, and for the agent as its init (docs/guest-protocol.md). */
import {AgentError} from '../../../model/errors.js';
import type {MachineRequest} from './machine-request.js';

export const planKernelParameters = (request: MachineRequest): string => {
  const parameters = [...kernelParameters(request), ...agentParameters(request)];
  const bad = parameters.find((parameter) => !/^[\w.,:=/-]+$/.test(parameter));
  if (bad !== undefined) throw new AgentError('INTERNAL', `Not a kernel parameter: '${bad}'.`);
  return parameters.join(' ');
};

const kernelParameters = ({architecture, candidate}: MachineRequest): string[] => [
  architecture === 'aarch64' ? 'console=ttyAMA0' : 'console=ttyS0',
  'quiet',
  'panic=-1', // a dead guest ends its VMM at once instead of waiting
  // One guest is one party: what protects its processes from each other costs boot time and buys nothing.
  'mitigations=off',
  'nokaslr',
  'lsm=none',
  'init_on_alloc=0',
  'random.trust_cpu=on',
  ...(architecture === 'x86_64' ? ['reboot=t', 'pti=off', 'no_timer_check'] : []),
  ...candidate.kernelParameters,
];

const agentParameters = ({disks, hostName, network, template}: MachineRequest): string[] => {
  if (disks === null) return [];
  const net = network === 'none' ? [] : ['agent.net=10.0.2.15/24,10.0.2.2,10.0.2.3'];
  // The rest comes with START, when it goes on.
  if (template) return ['agent.root=/dev/vda', 'agent.upper=tmpfs', ...net];
  const upper = disks.upperPath === null ? 'tmpfs' : '/dev/vdb';
  const persist = disks.upperPath === null ? '/dev/vdb' : '/dev/vdc';
  return [
    'agent.root=/dev/vda',
    `agent.upper=${upper}`,
    ...(disks.persistPath === null ? [] : [`agent.persist=${persist}`]),
    ...net,
    `agent.host=${hostName}`,
  ];
};
