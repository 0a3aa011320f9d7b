import {renameSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {fingerprint, unlessStamped} from '../../scripts/prepare/fingerprint.mjs';
import {createTree} from './temp-tree.js';

describe('fingerprint', () => {
  const root = createTree({'src/a.ts': 'a', 'src/deep/b.ts': 'b', 'package.json': '{}'});
  const now = () => fingerprint(root, ['src', 'package.json', 'absent']);
  const before = now();

  it('does not depend on times', () => {
    utimesSync(join(root, 'src/a.ts'), 1, 1);
    expect(now()).toBe(before);
  });

  it('changes with content, a new file, a removed file and a new name', () => {
    writeFileSync(join(root, 'src/a.ts'), 'A');
    const changed = now();
    writeFileSync(join(root, 'src/c.ts'), '');
    const added = now();
    rmSync(join(root, 'src/c.ts'));
    const removed = now();
    renameSync(join(root, 'src/deep/b.ts'), join(root, 'src/deep/d.ts'));
    expect(removed).toBe(changed);
    expect(new Set([before, changed, added, now()]).size).toBe(4);
  });
});

describe('unlessStamped', () => {
  const memory = (value?: string) => {
    let kept = value;
    return {
      read: () => kept,
      write: (next: string) => {
        kept = next;
      },
      clear: () => {
        kept = undefined;
      },
    };
  };

  it('does nothing when the stamp names the fingerprint', async () => {
    const never = () => Promise.reject(new Error('worked'));
    expect(await unlessStamped(memory('x'), 'x', never)).toBe(false);
  });

  it('works and stamps otherwise', async () => {
    const stamp = memory('old');
    expect(await unlessStamped(stamp, 'new', () => Promise.resolve())).toBe(true);
    expect(stamp.read()).toBe('new');
  });

  it('leaves no stamp behind work that failed', async () => {
    const stamp = memory('old');
    await expect(unlessStamped(stamp, 'new', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(stamp.read()).toBeUndefined();
  });
});
