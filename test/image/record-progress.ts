import type {Progress} from '../../src/model/progress.js';

/** Keeps what a progress is told, steps and details in the order they came. */
export const recordProgress = (): {readonly progress: Progress; readonly said: string[]} => {
  const said: string[] = [];
  const add = (text: string): void => {
    said.push(text);
  };
  return {said, progress: {step: add, detail: add}};
};
