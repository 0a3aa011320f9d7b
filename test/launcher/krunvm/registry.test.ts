import {mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {isRegistered, readVolume, writeRegistry} from '../../../src/launcher/krunvm/registry.js';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'registry-'));
  path = join(folder, 'deep', 'krunvm.toml');
});
afterEach(() => rmSync(folder, {recursive: true}));

const vm = {
  id: 'python-1',
  cpus: 2,
  memoryMib: 512,
  folders: [{host: '/a folder/"quoted"', guest: '/persist'}],
  container: 'python-1-working-container',
};

describe('the registry', () => {
  it('has the VM that was written, as krunvm writes it', async () => {
    await writeRegistry({path, volume: null}, vm);
    expect(readFileSync(path, 'utf8')).toMatchSnapshot();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await isRegistered({path, volume: null}, 'python-1')).toBe(true);
    expect(await isRegistered({path, volume: null}, 'python-2')).toBe(false);
  });

  it.each([
    '',
    '{',
    'version = 1',
    'vmconfig_map = 3',
    '[vmconfig_map.python-1]\nname = "other"\ncontainer = "c"',
  ])('has none where the file is %j', async (content) => {
    await writeRegistry({path, volume: null}, null);
    writeFileSync(path, content);
    expect(await isRegistered({path, volume: null}, 'python-1')).toBe(false);
  });

  it('has none where there is no file', async () => {
    expect(await isRegistered({path, volume: null}, 'python-1')).toBe(false);
  });

  it('names the volume, without which krunvm on macOS asks for ever', async () => {
    await writeRegistry({path, volume: '/Volumes/krunvm'}, vm);
    expect(await readVolume(path)).toBe('/Volumes/krunvm');
    expect(await isRegistered({path, volume: '/Volumes/krunvm'}, 'python-1')).toBe(true);
    expect(await isRegistered({path, volume: '/Volumes/other'}, 'python-1')).toBe(false);
    await writeRegistry({path, volume: null}, vm);
    expect(await readVolume(path)).toBeUndefined();
  });
});
