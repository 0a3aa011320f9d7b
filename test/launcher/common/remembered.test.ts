import {mkdtempSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createMemory, finding} from '../../../src/launcher/common/remembered.js';
import {listOf, object, text} from '../../../src/model/shape.js';

const shape = object({candidate: text, findings: listOf(finding)});
const memory = (runtimeFolder: string, facts: readonly string[]) =>
  createMemory({runtimeFolder, name: 'machine', facts, shape});

describe('createMemory', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-runtime-'));
  });
  afterEach(() => {
    rmSync(folder, {recursive: true});
  });
  const remembered = {candidate: 'tcg', findings: [{ok: false, subject: 's', seen: 'x', mend: 'y'}]};

  it('remembers for the same facts only, in a private folder', async () => {
    const runtime = join(folder, 'runtime');
    await memory(runtime, ['boot 1', 'qemu 7']).write(remembered);
    expect(await memory(runtime, ['boot 1', 'qemu 7']).read()).toEqual(remembered);
    expect(await memory(runtime, ['boot 2', 'qemu 7']).read()).toBeUndefined();
    expect(statSync(runtime).mode & 0o777).toBe(0o700);
  });

  it.each(['', '{', '{"candidate": 1}', 'null'])('takes %j as unknown', async (content) => {
    const cache = memory(folder, ['fact']);
    await cache.write(remembered);
    const [name] = readdirSync(folder);
    writeFileSync(join(folder, name ?? ''), content);
    expect(await cache.read()).toBeUndefined();
  });
});
