/** Boots a VM and stays: `boot-and-stay.ts LAUNCHER SPEC`; prints the VMM's pid when the guest is up. */
import {createContext} from '../../src/context.js';
import type {LauncherName} from '../../src/model/launcher-name.js';
import {silentProgress} from '../../src/model/progress.js';
import {bootGuest} from '../support/booted-guest.js';

const [name = '', spec = ''] = process.argv.slice(2);
const {signal} = new AbortController();
const context = createContext({env: process.env, progress: silentProgress, signal});
bootGuest(context.launcher(name as LauncherName), JSON.parse(spec)).then(
  ({machine}) => process.stdout.write(`${machine.vmm.pid}\n`),
  (error: unknown) => {
    process.stderr.write(`${error}\n`);
    process.exitCode = 1;
  },
);
