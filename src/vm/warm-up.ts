/** Runs in a guest what its VMs will run first, so that it lies in the memory that is saved. */
import type {Guest} from '../guest/guest.js';
import {toAgentError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import {type LanguageName, languageOf} from '../model/language.js';
import type {Progress} from '../model/progress.js';
import {createBudget} from '../model/sink.js';
import {codeOf, mergeEnv} from './execute.js';
import {runCommand} from './guest-command.js';

interface WarmUp {
  readonly image: GuestImage;
  readonly language: LanguageName | null;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

const COMMAND_DEADLINE_MS = 60_000;

/** For images of no language: the shell that runs `--cmd`. */
const SHELL = [['/bin/sh', '-c', ':']];

/** Nothing can be written below /dev/null: what a runtime would keep for the next time is kept nowhere. */
const LEAVING_NOTHING = [
  'HOME=/dev/null',
  'XDG_CACHE_HOME=/dev/null',
  'XDG_CONFIG_HOME=/dev/null',
  'PYTHONDONTWRITEBYTECODE=1',
];

/** Rejects only when it is interrupted: a guest that stays cold is as good a template as there can be. */
export const warmUp = async (guest: Guest, {image, language, progress, signal}: WarmUp): Promise<void> => {
  for (const argv of language ? languageOf(language).warmUp : SHELL) {
    try {
      const {status} = await runCommand({
        guest,
        request: {
          argv,
          env: mergeEnv(image.config.env, LEAVING_NOTHING),
          cwd: '/',
          user: image.config.user,
        },
        io: {stdin: null, stdout: [], stderr: [], budget: createBudget(0)},
        timeoutMs: COMMAND_DEADLINE_MS,
        signal,
      });
      const code = codeOf(status);
      if (code !== 0) progress.detail(`${argv.join(' ')} ended with ${status?.reason ?? code}`);
    } catch (error) {
      signal.throwIfAborted();
      progress.detail(`${argv.join(' ')}: ${toAgentError(error).message}`);
    }
  }
};
