/** What the measuring needs of the program's own parts, so that it can time them without the command line around them. */
export {createContext, guestAgentPath} from '../../src/context.js';
export {connectChannel} from '../../src/guest/connect.js';
export {withFirstComplete} from '../../src/launcher/qemu/boot.js';
export {prepareBootFiles} from '../../src/launcher/qemu/boot-files.js';
export {writeCpio} from '../../src/launcher/qemu/initramfs/cpio.js';
export {planMachine} from '../../src/launcher/qemu/machine/plan-machine.js';
export {machineFor} from '../../src/launcher/qemu/machine-for.js';
export {findParts} from '../../src/launcher/qemu/parts.js';
export {silentProgress} from '../../src/model/progress.js';
export {connectMonitor} from '../../src/monitor/connect-monitor.js';
export {socketPath} from '../../src/monitor/socket-path.js';
export {spawnVmm} from '../../src/process/spawn-vmm.js';
export {resolveStatePaths} from '../../src/state/state-paths.js';
export {openStore} from '../../src/state/vm-store.js';
export {idNumber, someRecord} from '../../test/support/some-records.js';
