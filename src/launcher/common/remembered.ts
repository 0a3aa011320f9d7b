/** Remembers what was found out about this machine by booting, until it reboots or what the finding rests on changes. */
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {absentAs, flag, nullable, object, type Shape, text} from '../../model/shape.js';
import type {Finding} from '../launcher.js';
import {writeAtomically} from './atomic-file.js';

const known = object<Required<Omit<Finding, 'mend'>> & {mend: string | null}>({
  ok: flag,
  subject: text,
  seen: text,
  mend: absentAs(null, nullable(text)),
});

export const finding: Shape<Finding> = (value) => {
  const {mend, ...rest} = known(value);
  return mend === null ? rest : {...rest, mend};
};

export interface Memory<T> {
  readonly read: () => Promise<T | undefined>;
  readonly write: (remembered: T) => Promise<void>;
}

/** `facts`: everything that the finding depends on. */
export const createMemory = <T>(options: {
  readonly runtimeFolder: string;
  readonly name: string;
  readonly facts: readonly string[];
  readonly shape: Shape<T>;
}): Memory<T> => {
  const {runtimeFolder, name, facts, shape} = options;
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  const path = join(runtimeFolder, `${name}-${key}.json`);
  return {
    read: async () => {
      const content = await readFile(path, 'utf8').catch(() => undefined);
      return content === undefined ? undefined : parse(shape, content);
    },
    write: async (remembered) => {
      await writeAtomically({path, content: JSON.stringify(remembered), mode: 0o600});
    },
  };
};

/** What cannot be read is found out again. */
const parse = <T>(shape: Shape<T>, content: string): T | undefined => {
  try {
    return shape(JSON.parse(content));
  } catch {
    return undefined;
  }
};
