import type {AgentResult} from './agent.js';

/** What the guest wrote to standard error: all but our log lines. */
export const guestStderr = ({stderr}: Pick<AgentResult, 'stderr'>): string =>
  stderr.replaceAll(/^\{"level":.*\n/gm, '');
