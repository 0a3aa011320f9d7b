export const networkModes = ['none', 'allow_all'] as const;

/** none: no network device at all. allow_all: user-mode networking, outgoing connections only. */
export type NetworkMode = (typeof networkModes)[number];
