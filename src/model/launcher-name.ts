/** In the order in which `auto` tries them. */
export const launcherNames = ['krunvm', 'qemu'] as const;
export type LauncherName = (typeof launcherNames)[number];
export type LauncherChoice = 'auto' | LauncherName;
