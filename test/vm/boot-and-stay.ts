/** Boots a VM and stays: `boot-and-stay.ts OPTIONS SPEC`, both JSON; prints the VMM's pid when the guest is up. */
import {guestAgentPath} from '../../src/context.js';
import {createQemuLauncher} from '../../src/launcher/qemu/qemu-launcher.js';
import {bootGuest} from './launcher-fixture.js';

const [options, spec] = process.argv.slice(2).map((text) => JSON.parse(text));
const launcher = createQemuLauncher({...options, guestAgentPath});
bootGuest({launcher}, spec).then(
  ({machine}) => process.stdout.write(`${machine.vmm.pid}\n`),
  (error: unknown) => {
    process.stderr.write(`${error}\n`);
    process.exitCode = 1;
  },
);
