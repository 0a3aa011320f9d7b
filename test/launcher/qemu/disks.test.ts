import {execFileSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {findProgram} from '../../../src/launcher/common/host.js';
import {DISK_BYTES, diskPath, makeDisk} from '../../../src/launcher/qemu/disks.js';

const mke2fsPath = findProgram(process.env, 'mke2fs');
const {signal} = new AbortController();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-disks-'));
});
afterEach(() => {
  rmSync(folder, {recursive: true});
});

describe('makeDisk', () => {
  it('makes a private sparse disk with a sound, journalled file system', async () => {
    await makeDisk({folder, name: 'upper', mke2fsPath, signal});
    const path = diskPath(folder, 'upper');
    const {size, blocks, mode} = statSync(path);
    expect(size).toBe(DISK_BYTES.upper);
    expect(blocks * 512).toBeLessThan(8 * 1024 * 1024);
    expect(mode & 0o777).toBe(0o600);
    const e2fsck = findProgram(process.env, 'e2fsck') ?? '';
    execFileSync(e2fsck, ['-fn', path], {stdio: 'ignore'});
    const about = execFileSync(findProgram(process.env, 'dumpe2fs') ?? '', [path], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(about).toContain('has_journal');
    expect(about).toMatch(/^Errors behavior:\s+Panic$/m);
    expect(about).not.toMatch(/^Group.*(?<!ITABLE_ZEROED)\]$/m);
  });

  it('makes one as small as is asked for, of which most can be filled', async () => {
    await makeDisk({folder, name: 'upper', bytes: 64 * 1024 ** 2, mke2fsPath, signal});
    const path = diskPath(folder, 'upper');
    expect(statSync(path).size).toBe(64 * 1024 ** 2);
    const about = execFileSync(findProgram(process.env, 'dumpe2fs') ?? '', ['-h', path], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(Number(/^Free blocks:\s+(\d+)$/m.exec(about)?.[1]) * 4096).toBeGreaterThan(40 * 1024 ** 2);
    expect(about).toContain('has_journal');
  });

  it('keeps a disk that is there', async () => {
    writeFileSync(diskPath(folder, 'persist'), 'files of a VM');
    await makeDisk({folder, name: 'persist', mke2fsPath, signal});
    expect(readFileSync(diskPath(folder, 'persist'), 'utf8')).toBe('files of a VM');
  });

  it('leaves nothing behind when it fails, or was interrupted', async () => {
    const request = {folder, name: 'upper', signal} as const;
    await expect(makeDisk({...request, mke2fsPath: '/bin/false'})).rejects.toMatchObject({
      code: 'PROCESS_FAILED',
    });
    await expect(makeDisk({...request, mke2fsPath, signal: AbortSignal.abort()})).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says what to install', async () => {
    const made = makeDisk({folder, name: 'upper', mke2fsPath: undefined, signal});
    await expect(made).rejects.toMatchObject({
      code: 'LAUNCHER_UNAVAILABLE',
      hints: expect.arrayContaining(['run: agent setup']),
    });
  });

  it('clears away what a dead process was making', async () => {
    writeFileSync(join(folder, '.making-999999999-abc'), '');
    writeFileSync(join(folder, `.making-${process.pid}-abc`), '');
    await makeDisk({folder, name: 'upper', mke2fsPath, signal});
    expect(readdirSync(folder).sort()).toEqual([`.making-${process.pid}-abc`, 'upper.img']);
  });
});
