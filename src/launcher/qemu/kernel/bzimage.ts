/** Reads an x86 Linux kernel image (Documentation/arch/x86/boot.rst): its release and the compressed vmlinux in it. */
import {hasElfNote, isElf64} from './elf.js';

const SECTOR = 512;
const PVH_ENTRY_NOTE = 18; // XEN_ELFNOTE_PHYS32_ENTRY

const isBzImage = (file: Buffer): boolean =>
  file.length > 0x268 &&
  file.toString('latin1', 0x202, 0x206) === 'HdrS' &&
  file.readUInt16LE(0x206) >= 0x0208;

/** `uname -r` of the kernel; the first 64 KiB of the file are enough. */
export const readRelease = (head: Buffer): string | undefined => {
  if (!isBzImage(head)) return undefined;
  const at = head.readUInt16LE(0x20e) + SECTOR;
  return /^[\w.+~-]{1,128}/.exec(head.toString('latin1', at, at + 128))?.[0];
};

/** The compressed vmlinux as it lies in the image. */
export const readPayload = (file: Buffer): Buffer | undefined => {
  if (!isBzImage(file)) return undefined;
  const setupSectors = file[0x1f1] || 4;
  const start = (setupSectors + 1) * SECTOR + file.readUInt32LE(0x248);
  const end = start + file.readUInt32LE(0x24c);
  return end <= file.length ? file.subarray(start, end) : undefined;
};

/** QEMU can start a vmlinux without its real-mode part only where it has this entry point (CONFIG_PVH). */
export const hasPvhEntry = (vmlinux: Buffer): boolean =>
  isElf64(vmlinux) && hasElfNote(vmlinux, 'Xen', PVH_ENTRY_NOTE);
