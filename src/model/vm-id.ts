const VM_ID = /^[a-z]+-[0-9a-z]{8}$/;

/** An id becomes the name of a folder, so nothing else may pass for one. */
export const isVmId = (text: string): boolean => VM_ID.test(text);
