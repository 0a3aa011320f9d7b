import type {Guest} from '../guest/guest.js';

export interface Heartbeat {
  /** False once the guest has not answered for a while, until it does again. */
  readonly isResponsive: () => boolean;
  readonly end: () => void;
}

const EVERY_MS = 5_000;
const LATE_MS = 10_000;

/** Asks the guest for a sign of life every few seconds, one question at a time. */
export const watchHeartbeat = (guest: Guest, everyMs = EVERY_MS, lateMs = LATE_MS): Heartbeat => {
  let askedAt: number | undefined;
  let isAsking = false;
  const ask = (): void => {
    if (isAsking) return;
    isAsking = true;
    askedAt ??= performance.now();
    // A late answer counts as one: only then is the next question asked.
    guest.ping(24 * 3_600_000).then(
      () => {
        isAsking = false;
        askedAt = undefined;
      },
      () => {
        isAsking = false; // so many others wait for one that it was not asked at all
      },
    );
  };
  const timer = setInterval(ask, everyMs);
  return {
    isResponsive: () => askedAt === undefined || performance.now() - askedAt < lateMs,
    end: () => clearInterval(timer),
  };
};
