/** The initramfs: the guest agent as init, and the modules it loads (docs/guest-protocol.md). */
import type {KernelModule} from '../kernel/module-files.js';
import {type CpioEntry, writeCpio} from './cpio.js';

export const buildInitramfs = ({
  agent,
  modules,
}: {
  readonly agent: Buffer;
  readonly modules: readonly KernelModule[];
}): Buffer => {
  const paths = modules.map(({name}) => `modules/${name}.ko`);
  const order = paths.map((path) => `/${path}\n`).join('');
  const entries: CpioEntry[] = [
    {type: 'folder', path: 'dev'},
    {type: 'charDevice', path: 'dev/console', major: 5, minor: 1}, // the kernel opens it as init's output
    {type: 'file', path: 'init', mode: 0o755, content: agent},
    {type: 'folder', path: 'modules'},
    {type: 'file', path: 'modules/order', mode: 0o644, content: Buffer.from(order)},
    ...modules.map(({content}, index) => ({
      type: 'file' as const,
      path: paths[index] ?? '',
      mode: 0o644,
      content,
    })),
  ];
  return writeCpio(entries);
};
