/** Keeps saying how long a silent step has been going on. */
import type {Progress} from '../model/progress.js';

const EVERY_MS = 3000;

/** Runs `work` with a progress that repeats its last detail, with the seconds, whenever nothing came for a while. */
export const withHeartbeat = async <T>(
  progress: Progress,
  work: (progress: Progress) => Promise<T>,
): Promise<T> => {
  let detail = '';
  let since = Date.now();
  let spokenAt = since;
  const say = (kind: 'step' | 'detail') => (text: string) => {
    const next = kind === 'step' ? '' : text;
    if (next !== detail || kind === 'step') since = Date.now();
    detail = next;
    spokenAt = Date.now();
    progress[kind](text);
  };
  const timer = setInterval(() => {
    if (Date.now() - spokenAt < EVERY_MS) return;
    spokenAt = Date.now();
    progress.detail(`${detail || 'at work'}, for ${Math.round((Date.now() - since) / 1000)} s`);
  }, EVERY_MS);
  try {
    return await work({step: say('step'), detail: say('detail')});
  } finally {
    clearInterval(timer);
  }
};
