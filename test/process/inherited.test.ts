import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {run} from '../../src/process/run.js';
import {spawnVmm} from '../../src/process/spawn-vmm.js';
import {openStore} from '../../src/state/vm-store.js';

const LIST = 'for fd in /proc/self/fd/*; do readlink "$fd"; done; exit 0';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-inherited-'));
});
afterEach(() => {
  rmSync(folder, {recursive: true, force: true});
});

it('keeps the database from the programs that we run', async () => {
  const store = openStore(join(folder, 'agent.mdb'), process.getuid?.() ?? 0);
  try {
    const {stdout} = await run({file: '/bin/sh', args: ['-c', LIST], phase: 'listing', timeoutMs: 10_000});
    expect(stdout).toContain('/dev/null');
    expect(stdout).not.toContain('agent.mdb');
  } finally {
    await store.database.close();
  }
});

it('keeps the database from the VMM', async () => {
  const store = openStore(join(folder, 'agent.mdb'), process.getuid?.() ?? 0);
  try {
    const vmm = await spawnVmm({
      file: '/bin/sh',
      args: ['-c', `{ ${LIST}; } >&2`],
      env: {PATH: '/usr/bin:/bin'},
      files: [],
    });
    const said: Buffer[] = [];
    vmm.output.on('data', (chunk: Buffer) => said.push(chunk));
    vmm.channel.resume();
    vmm.console.resume();
    await new Promise((resolve) => vmm.output.once('close', resolve));
    expect(Buffer.concat(said).toString()).toContain('socket:');
    expect(Buffer.concat(said).toString()).not.toContain('agent.mdb');
  } finally {
    await store.database.close();
  }
});
