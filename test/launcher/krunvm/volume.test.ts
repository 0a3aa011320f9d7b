import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {registryPath} from '../../../src/launcher/krunvm/environment.js';
import {writeRegistry} from '../../../src/launcher/krunvm/registry.js';
import {findVolume} from '../../../src/launcher/krunvm/volume.js';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'home-'));
});
afterEach(() => rmSync(home, {recursive: true}));

const setVolume = (volume: string): Promise<void> =>
  writeRegistry({path: registryPath('darwin', home), volume}, null);

describe('the volume of a Mac', () => {
  it('is the one that krunvm’s own configuration names', async () => {
    await setVolume('/proc'); // a mount point that every Linux has
    expect(await findVolume({HOME: home})).toBe('/proc');
  });

  it('is missed where krunvm was never set up', async () => {
    await expect(findVolume({HOME: home})).rejects.toMatchObject({code: 'LAUNCHER_UNAVAILABLE'});
  });

  it.each(['gone', 'folder'])('is not a %s', async (name) => {
    mkdirSync(join(home, 'folder'));
    await setVolume(join(home, name));
    await expect(findVolume({HOME: home})).rejects.toThrow('not mounted');
  });
});
