/** Decides the whole command line of QEMU from values: nothing here reads or starts anything. */
import type {Candidate} from './candidates.js';
import {planKernelParameters} from './kernel-parameters.js';
import type {MachineRequest} from './machine-request.js';

/** Where the VMM finds its end of the two sockets, and the first of the files it inherits. */
const CHANNEL_FD = 3;
const CONSOLE_FD = 4;
const FIRST_FILE_FD = 5;

export interface InheritedFile {
  readonly path: string;
  readonly writable: boolean;
}

export interface MachinePlan {
  readonly args: readonly string[];
  /** To be opened by us; the first becomes file descriptor 5 of the VMM. */
  readonly files: readonly InheritedFile[];
  /** Of what is to be saved: the path of its socket as the VMM sees it. */
  readonly savePath: string | null;
}

interface Disk {
  readonly id: 'root' | 'upper' | 'persist';
  /** Null: there is only the device, which nobody uses. */
  readonly path: string | null;
  readonly writable: boolean;
}

export const planMachine = (request: MachineRequest): MachinePlan => {
  const disks = listDisks(request);
  const kernelFiles = request.openKernelByFd ? [request.kernelPath, request.initramfsPath] : [];
  const paths = [...kernelFiles, ...templatePaths(request.template)].map((path) => ({path, writable: false}));
  const files = [...paths, ...disks.flatMap(({path, writable}) => (path === null ? [] : [{path, writable}]))];
  const fdOf = (path: string): number => FIRST_FILE_FD + files.findIndex((file) => file.path === path);
  const bootFile = (path: string): string => (request.openKernelByFd ? `/proc/self/fd/${fdOf(path)}` : path);
  return {
    args: [
      ...planBoard(request),
      ...['-kernel', bootFile(request.kernelPath), '-initrd', bootFile(request.initramfsPath)],
      ...['-append', planKernelParameters(request)],
      ...planChannels(request),
      ...disks.flatMap((disk, index) => planDisk({disk, node: planNode(disk, fdOf), slot: index, request})),
      ...planNetwork(request, disks.length),
      ...planTemplate(request, {fdOf, controlFd: FIRST_FILE_FD + files.length}),
      ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ],
    files,
    savePath:
      request.template?.role === 'source'
        ? `/proc/self/fd/${fdOf(request.template.folder)}/${SAVE_SOCKET}`
        : null,
  };
};

/** Name of the socket through which a machine is saved. */
export const SAVE_SOCKET = 's';

const templatePaths = (template: MachineRequest['template']): string[] => {
  if (!template) return [];
  return [template.role === 'source' ? template.folder : template.savedPath];
};

/** In the order in which the guest names them: vda, vdb, vdc. */
const listDisks = ({disks, template}: MachineRequest): Disk[] => {
  if (disks === null) return [];
  const writable = [
    {id: 'upper' as const, path: disks.upperPath, writable: true},
    {id: 'persist' as const, path: disks.persistPath, writable: true},
  ];
  return [
    {id: 'root', path: disks.rootPath, writable: false},
    ...writable.filter(({path}) => path !== null || template !== null),
  ];
};

const planBoard = ({marker, candidate, cpus, memoryMib}: MachineRequest): string[] => [
  ...['-name', `guest=${marker}`],
  ...['-machine', candidate.machine, '-accel', candidate.acceleratorOptions, '-cpu', candidate.cpu],
  ...['-smp', String(cpus), '-m', `${memoryMib}M`],
  ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
];

const planChannels = ({candidate}: MachineRequest): string[] => [
  ...['-chardev', `socket,id=console,fd=${CONSOLE_FD}`, '-serial', 'chardev:console'],
  ...['-device', `${device(candidate, 'virtio-serial', 0)},id=serial,max_ports=2`],
  ...['-chardev', `socket,id=channel,fd=${CHANNEL_FD}`],
  ...['-device', 'virtserialport,bus=serial.0,nr=1,chardev=channel,name=agent.channel'],
];

interface DiskPlace {
  readonly disk: Disk;
  readonly node: readonly string[];
  readonly slot: number;
  readonly request: MachineRequest;
}

// Errors go to the guest: QEMU's own choice for a full host disk would be to stop the VM without a word.
const ERRORS = 'werror=report,rerror=report';

const planDisk = ({disk, node, slot, request}: DiskPlace): string[] => {
  const front = device(request.candidate, 'virtio-blk', slot + 1);
  return [...node, ...['-device', `${front},drive=${disk.id},${disk.writable ? ERRORS : 'rerror=report'}`]];
};

const planNode = ({id, path, writable}: Disk, fdOf: (path: string) => number): string[] => {
  if (path === null) return ['-blockdev', `driver=null-co,node-name=${id},size=1048576,read-zeroes=on`];
  const fd = fdOf(path);
  const shared = ['read-only=on', 'file.locking=off']; // any number of VMMs, none of which writes
  const own = ['discard=unmap', 'detect-zeroes=unmap', 'file.discard=unmap', 'file.locking=on'];
  const node = [
    `driver=raw,node-name=${id}`,
    `file.driver=file,file.filename=/dev/fdset/${fd}`,
    ...(writable ? own : shared),
  ];
  return ['-add-fd', `fd=${fd},set=${fd}`, '-blockdev', node.join(',')];
};

/**
 * allow_all: slirp opens the guest's connections as sockets of the VMM. Its gateway 10.0.2.2 leads to the loopback of
 * wherever the VMM runs, and QEMU has no option against that: libslirp's disable_host_loopback is not exposed.
 */
const planNetwork = ({network, candidate, template}: MachineRequest, diskCount: number): string[] => {
  if (network === 'none') return [];
  // What warms a template runs on when its user believes that all has ended: it reaches nobody.
  const restrict = template?.role === 'source' ? ',restrict=on' : '';
  const front = device(candidate, 'virtio-net', diskCount + 1);
  const rom = candidate.transport === 'pci' ? ',romfile=' : ''; // its boot ROM may not be installed
  return [
    ...['-netdev', `user,id=net,ipv4=on,ipv6=off,net=10.0.2.0/24,host=10.0.2.2,dns=10.0.2.3${restrict}`],
    ...['-device', `${front},netdev=net${rom}`],
  ];
};

interface Descriptors {
  readonly fdOf: (path: string) => number;
  readonly controlFd: number;
}

/** QMP is for the one that is saved. What goes on from it runs as soon as it is loaded, without a word of ours. */
const planTemplate = ({template}: MachineRequest, {fdOf, controlFd}: Descriptors): string[] => {
  if (!template) return [];
  if (template.role === 'copy') return ['-incoming', `fd:${fdOf(template.savedPath)}`];
  return ['-chardev', `socket,id=control,fd=${controlFd}`, '-mon', 'chardev=control,mode=control'];
};

// `microvm` has 8 virtio-mmio buses. Its ACPI tables list them backwards, so that the guest finds the highest first,
// and leave out the lowest (seen with QEMU 7.2).
const HIGHEST_MMIO_BUS = 7;

const device = ({transport}: Candidate, name: string, slot: number): string =>
  transport === 'pci' ? `${name}-pci` : `${name}-device,bus=virtio-mmio-bus.${HIGHEST_MMIO_BUS - slot}`;
