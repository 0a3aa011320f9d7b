/** Fires when the guest keeps us waiting too long; every start is a new wait. */
export interface StallWatch {
  readonly start: () => void;
  readonly stop: () => void;
}

export const createStallWatch = (timeoutMs: number, onStall: () => void): StallWatch => {
  let timer: NodeJS.Timeout | undefined;
  let isWaiting = false;
  return {
    start: () => {
      isWaiting = true;
      // One timer for all waits: starting one anew for every chunk would cost more than the chunk.
      timer ??= setTimeout(() => isWaiting && onStall(), timeoutMs).unref();
      timer.refresh();
    },
    stop: () => {
      isWaiting = false;
    },
  };
};
