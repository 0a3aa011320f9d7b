/** Remembers what was found out about this machine by booting, until it reboots or what the finding rests on changes. */
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import * as z from 'zod/mini';
import {writeAtomically} from './atomic-file.js';

export const findingSchema = z.object({
  ok: z.boolean(),
  subject: z.string(),
  seen: z.string(),
  mend: z.exactOptional(z.string()),
});

export interface Memory<T> {
  readonly read: () => Promise<T | undefined>;
  readonly write: (remembered: T) => Promise<void>;
}

/** `facts`: everything that the finding depends on. */
export const createMemory = <T>(options: {
  readonly runtimeFolder: string;
  readonly name: string;
  readonly facts: readonly string[];
  readonly schema: z.ZodMiniType<T>;
}): Memory<T> => {
  const {runtimeFolder, name, facts, schema} = options;
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  const path = join(runtimeFolder, `${name}-${key}.json`);
  return {
    read: async () => {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      return text === undefined ? undefined : parse(schema, text);
    },
    write: async (remembered) => {
      await writeAtomically({path, content: JSON.stringify(remembered), mode: 0o600});
    },
  };
};

/** What cannot be read is found out again. */
const parse = <T>(schema: z.ZodMiniType<T>, text: string): T | undefined => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};
