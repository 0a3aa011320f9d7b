import * as Flags from '@oclif/core/flags';

export const globalFlags = {
  'log-format': Flags.option({options: ['auto', 'json', 'pretty'] as const})({
    summary: 'form of the log lines; auto is JSON unless the stream is a terminal',
    default: 'auto',
    env: 'AGENT_LOG_FORMAT',
    helpGroup: 'GLOBAL',
  }),
  'log-level': Flags.option({options: ['debug', 'info', 'warn', 'error'] as const})({
    summary: 'the least important log lines to write',
    default: 'info',
    env: 'AGENT_LOG_LEVEL',
    helpGroup: 'GLOBAL',
  }),
  'log-file': Flags.string({
    summary: 'a file that gets every log line as JSON too',
    helpGroup: 'GLOBAL',
    env: 'AGENT_LOG_FILE',
  }),
};
