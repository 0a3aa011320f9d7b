import {execFileSync} from 'node:child_process';
import {chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {agentProgram} from '../guest-agent/stdio-agent.ts';

/** In the outer guest: a root for guests of libkrun's, as krunvm leaves it, and one without the agent. */
export const GUEST_ROOT = '/guests/whole';
export const ROOT_WITHOUT_AGENT = '/guests/without-agent';

/** In the order to load them. */
export const KVM_MODULES = [
  'virt/lib/irqbypass',
  'arch/x86/kvm/kvm',
  'drivers/crypto/ccp/ccp',
  'arch/x86/kvm/kvm-amd',
];

/** Programs of the guests that start the agent as libkrun's init does on a slow start: with streams missing. */
export const LOSING_STARTS = {'/without-output': '>&-', '/without-streams': '<&- >&- 2>&-'};

const SHARED_LIBRARIES = ['libc.so.6', 'ld-linux-x86-64.so.2', 'libgcc_s.so.1', 'libcap-ng.so.0'];
const LIBRARY_FOLDER = 'lib/x86_64-linux-gnu';
const PROGRAMS = ['krun-start', 'over-sockets', 'net-probe'];

/** krunvm writes what buildah says of the image; libkrun's init gives the environment to what it starts. */
const IMAGE_CONFIG = {Env: ['PATH=/usr/bin:/bin', 'FROM_IMAGE=1'], Cmd: ['/bin/sh'], WorkingDir: '/root'};

/** The outer guest: busybox, libkrun with what it needs, our programs, and the roots of the guests within. */
export const buildOuterRoot = (parts: string, folder: string): string => {
  const root = join(folder, 'root');
  addBusybox(parts, root);
  addLibraries(parts, root);
  for (const program of PROGRAMS) {
    const source = fileURLToPath(new URL(`${program}.c`, import.meta.url));
    const flags = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1'];
    // What looks for libkrun at run time cannot be static; the others also run in guests without libraries.
    if (program !== 'krun-start') flags.push('-static');
    execFileSync('cc', [...flags, source, '-o', join(root, 'bin', program)], {stdio: 'inherit'});
  }
  addModules(parts, root);
  for (const guest of [GUEST_ROOT, ROOT_WITHOUT_AGENT]) addGuest(parts, join(root, guest));
  copyFileSync(join(root, 'bin/net-probe'), join(root, GUEST_ROOT, 'bin/net-probe'));
  const agent = join(root, GUEST_ROOT, '.agent');
  copyFileSync(agentProgram(), agent);
  chmodSync(agent, 0o755);
  const image = join(folder, 'root.erofs');
  execFileSync('mkfs.erofs', ['--all-root', image, root], {stdio: ['ignore', 'ignore', 'inherit']});
  return image;
};

const addBusybox = (parts: string, root: string): void => {
  const busybox = join(parts, 'debian/bin/busybox');
  mkdirSync(join(root, 'bin'), {recursive: true});
  copyFileSync(busybox, join(root, 'bin/busybox'));
  const names = execFileSync(busybox, ['--list'], {encoding: 'utf8'}).trim().split('\n');
  for (const name of names) if (name !== 'busybox') symlinkSync('busybox', join(root, 'bin', name));
};

const addLibraries = (parts: string, root: string): void => {
  const folder = join(root, LIBRARY_FOLDER);
  mkdirSync(folder, {recursive: true});
  for (const name of SHARED_LIBRARIES) {
    const found = [LIBRARY_FOLDER, `usr/${LIBRARY_FOLDER}`].find((place) =>
      readdirSync(join(parts, 'debian', place)).includes(name),
    );
    if (found === undefined) throw new Error(`no ${name} in the packages`);
    cpSync(join(parts, 'debian', found, name), join(folder, name), {dereference: true});
  }
  for (const name of ['libkrun.so.1', 'libkrunfw.so.5']) copyFileSync(join(parts, name), join(folder, name));
  mkdirSync(join(root, 'lib64'));
  symlinkSync(`/${LIBRARY_FOLDER}/ld-linux-x86-64.so.2`, join(root, 'lib64/ld-linux-x86-64.so.2'));
};

const addModules = (parts: string, root: string): void => {
  const modules = join(parts, 'debian/lib/modules');
  const [release = ''] = readdirSync(modules);
  for (const name of KVM_MODULES) {
    const path = join(root, 'modules', `${name}.ko`);
    mkdirSync(dirname(path), {recursive: true});
    copyFileSync(join(modules, release, 'kernel', `${name}.ko`), path);
  }
};

const addGuest = (parts: string, root: string): void => {
  addBusybox(parts, root);
  mkdirSync(join(root, 'root'));
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(root, 'etc/resolv.conf'), 'options use-vc\nnameserver 127.0.0.1\n');
  writeFileSync(join(root, '.krun_config.json'), JSON.stringify(IMAGE_CONFIG));
  writeFileSync(join(root, 'not-executable'), '');
  for (const [path, closing] of Object.entries(LOSING_STARTS)) {
    writeFileSync(join(root, path), `#!/bin/sh\nexec /.agent ${closing}\n`, {mode: 0o755});
  }
};
