/** Remembers which machine boots here, until this machine reboots or QEMU, kernel or permissions change. */
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import * as z from 'zod';
import {writeAtomically} from './atomic-file.js';

const schema = z.object({
  candidate: z.string(),
  findings: z.array(
    z.object({ok: z.boolean(), subject: z.string(), seen: z.string(), mend: z.string().exactOptional()}),
  ),
});
export type RememberedMachine = z.infer<typeof schema>;

export interface MachineCache {
  readonly read: () => Promise<RememberedMachine | undefined>;
  readonly write: (remembered: RememberedMachine) => Promise<void>;
}

/** `facts`: everything that the finding depends on. */
export const machineCache = (runtimeFolder: string, facts: readonly string[]): MachineCache => {
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  const path = join(runtimeFolder, `machine-${key}.json`);
  return {
    read: async () => {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      return text === undefined ? undefined : parse(text);
    },
    write: async (remembered) => {
      await writeAtomically({path, content: JSON.stringify(remembered), mode: 0o600});
    },
  };
};

/** What cannot be read is found out again. */
const parse = (text: string): RememberedMachine | undefined => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};
