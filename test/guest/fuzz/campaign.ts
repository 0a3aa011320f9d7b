/** Cases until so many damaged frames went through the host's decoders, each with the next seed. */
import {setImmediate as turn} from 'node:timers/promises';
import {createRandom, type Random} from '../random.js';
import {Finding} from './finding.js';
import {type CaseResult, playGuest} from './guest-case.js';
import {playArchive, playPayload} from './payload-case.js';
import {playRelay} from './relay-case.js';
import {playSessions} from './session-case.js';

export interface CampaignOptions {
  /** Damaged ones. */
  readonly frames: number;
  readonly seed: number;
  readonly onProgress?: (figures: Figures) => void;
}

export interface Figures {
  readonly cases: number;
  readonly frames: number;
  readonly damaged: number;
  readonly payloads: number;
  readonly archives: number;
  /** Archives that were read to their end. */
  readonly whole: number;
  /** How often cases ended in which way. */
  readonly endings: Readonly<Record<string, number>>;
  /** MiB of the process at most. */
  readonly peakMib: number;
}

const AT_ONCE = 50;
const MAX_MIB = 600;

/** Throws at the first finding, with the seed that repeats it. */
export const runCampaign = async (options: CampaignOptions): Promise<Figures> => {
  const {stackTraceLimit} = Error;
  Error.stackTraceLimit = 0; // stacks of millions of errors that are expected
  try {
    return await runCases(options);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};

const runCases = async ({frames, seed, onProgress}: CampaignOptions): Promise<Figures> => {
  const total = {cases: 0, frames: 0, damaged: 0, payloads: 0, archives: 0, whole: 0, peakMib: 0};
  const endings: Record<string, number> = {};
  while (total.damaged < frames) {
    const results: {readonly seed: number; readonly result: CaseResult}[] = [];
    for (let count = 0; count < AT_ONCE; count += 1) {
      const own = seed + total.cases;
      const result = await atSeed(own, () => playCase(own, total));
      results.push({seed: own, result});
      total.cases += 1;
      total.frames += result.frames;
      total.damaged += result.damaged;
      endings[result.ending] = (endings[result.ending] ?? 0) + 1;
    }
    await turn();
    for (const {seed: own, result} of results) await atSeed(own, result.check);
    total.peakMib = Math.max(total.peakMib, Math.round(process.memoryUsage.rss() / 1024 ** 2));
    if (total.peakMib > MAX_MIB)
      throw new Finding(`memory grew to ${total.peakMib} MiB by seed ${seed + total.cases}`);
    onProgress?.({...total, endings});
  }
  return {...total, endings};
};

const playCase = async (
  seed: number,
  total: {payloads: number; archives: number; whole: number},
): Promise<CaseResult> => {
  const random = createRandom(seed);
  playPayload(random);
  total.payloads += 1;
  if (random.number(40) === 0) {
    total.archives += 1;
    total.whole += (await playArchive(random)) ? 1 : 0;
  }
  return await pickTarget(random);
};

const pickTarget = (random: Random): CaseResult | Promise<CaseResult> => {
  const most = 1 + random.number(random.pick([10, 400]));
  const target = random.number(40);
  if (target === 0) return playGuest(random, most, random.number(2) === 0);
  return target < 3 ? playRelay(random, most) : playSessions(random, most);
};

const atSeed = async <T>(seed: number, play: () => T | Promise<T>): Promise<T> => {
  try {
    return await play();
  } catch (error) {
    throw new Finding(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
};
