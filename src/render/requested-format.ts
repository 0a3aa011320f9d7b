/** The log format as far as it can be told before the command line is parsed, for errors of parsing itself. */
export const requestedFormat = (argv: readonly string[]): 'auto' | 'json' | 'pretty' => {
  const at = argv.findIndex((word) => word.startsWith('--log-format'));
  const word = at < 0 ? process.env.AGENT_LOG_FORMAT : (argv[at]?.split('=')[1] ?? argv[at + 1]);
  return word === 'json' || word === 'pretty' ? word : 'auto';
};
