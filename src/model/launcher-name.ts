export const launcherNames = ['qemu'] as const;
export type LauncherName = (typeof launcherNames)[number];
