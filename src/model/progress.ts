/** Says what a long step is doing. Implementations throttle and choose the form; callers just report. */
export interface Progress {
  /** The step that now runs, for example `pulling docker.io/library/python:3.11-slim`. */
  readonly step: (text: string) => void;
  /** More about the present step, for example `layer 2 of 5`. */
  readonly detail: (text: string) => void;
}

export const silentProgress: Progress = {step: () => {}, detail: () => {}};
