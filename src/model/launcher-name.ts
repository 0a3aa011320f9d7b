export const launcherNames = ['krunvm', 'qemu'] as const;
export type LauncherName = (typeof launcherNames)[number];
