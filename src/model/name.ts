/** What VMs and volumes may be called: it becomes the name of a folder, and part of a command line. */
export const isName = (text: string): boolean => /^[a-z0-9][a-z0-9_.-]{0,62}$/i.test(text);
