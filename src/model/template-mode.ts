import {usageError} from './errors.js';

const modes = ['auto', 'off'] as const;

/** `auto`: VMs start from templates where the launcher can. `off`: they boot. */
export type TemplateMode = (typeof modes)[number];

/** The value of AGENT_TEMPLATES; unset and empty are `auto`. */
export const parseTemplateMode = (value: string | undefined): TemplateMode => {
  if (value === undefined || value === '') return 'auto';
  const mode = modes.find((known) => known === value);
  if (mode) return mode;
  throw usageError(`AGENT_TEMPLATES is '${value}'.`, 'set it to auto or off, or unset it');
};
