/** buildah's lines about a transfer, as progress by layer. */
import type {Progress} from '../model/progress.js';

/** True from the moment a line shows that the source has answered. */
export interface PullProgress {
  readonly add: (line: string) => void;
  readonly hasAnswered: () => boolean;
}

export const createPullProgress = (progress: Progress): PullProgress => {
  const layers = new Set<string>();
  let answered = false;
  return {
    hasAnswered: () => answered,
    add: (line) => {
      answered ||= /^(?:Getting image source|Copying|Writing manifest)/.test(line);
      const layer = /^Copying blob (?:sha256:)?([0-9a-f]{12})/.exec(line)?.[1];
      if (layer !== undefined) {
        layers.add(layer);
        progress.detail(`layer ${[...layers].indexOf(layer) + 1}`);
      } else if (line.startsWith('Copying config')) {
        progress.detail('configuration');
      } else if (line.startsWith('Writing manifest')) {
        progress.detail('unpacked');
      }
    },
  };
};
