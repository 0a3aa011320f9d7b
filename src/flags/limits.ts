import {totalmem} from 'node:os';

const MIB = 1024 ** 2;

export const cpuRange = {min: 1, max: 32} as const;

/** Less does not boot: the kernel and its initramfs alone need about that much. */
export const memoryRange = {min: 128 * MIB, max: totalmem()} as const;

export const timeoutRange = {min: 100, max: 7 * 24 * 3_600_000} as const;
export const idleRange = {min: 0, max: 365 * 24 * 3_600_000} as const;
export const outputRange = {min: 1, max: 64 * 1024 ** 3} as const;
/** A journal and the file system itself need a part of it. */
export const diskRange = {min: 64 * MIB, max: 16 * 1024 ** 4} as const;
export const copyRange = {min: 1, max: 1024 ** 4} as const;
