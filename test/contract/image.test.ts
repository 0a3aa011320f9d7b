import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {guestStderr} from '../support/guest-stderr.js';
import {useBench, verdictOf} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImages} from './small-images.js';

const images = await useSmallImages({
  daemon: {
    Env: ['PATH=/usr/local/bin:/bin', 'FROM_IMAGE=yes', 'SHARED=image', 'EMPTY=', 'QUOTED=a "b c" -- d'],
    WorkingDir: '/var/tmp',
    User: 'daemon',
  },
  absent: {WorkingDir: '/not there', User: 'nobody-knows', Entrypoint: ['/no/such'], Cmd: ['--either']},
});

describe.each(launchers)('with $name, an image', (launcher) => {
  const {vm, create, image, state} = useBench(launcher, images);

  it('says who runs a command, where, and with which variables; those of the command win', async () => {
    const show = [
      'id -un; id -Gn; pwd; touch mine && stat -c %U mine; cat /proc/$$/environ | tr "\\0" "\\n"',
      'for folder in /in /out /persist; do echo x > $folder/own && stat -c %U $folder/own; done',
    ].join('; ');
    const result = await vm(['temp', ...image('daemon'), '--env', 'SHARED=own', '--cmd', show]);
    expect(guestStderr(result)).toBe('');
    const [user, groups, folder, owner, ...rest] = result.stdout.toString().trimEnd().split('\n');
    expect([user, groups, folder, owner]).toEqual(['daemon', 'daemon', '/var/tmp', 'daemon']);
    expect(rest.slice(0, -3).sort()).toEqual(
      [
        'EMPTY=',
        'FROM_IMAGE=yes',
        'HOME=/usr/sbin',
        'PATH=/usr/local/bin:/bin',
        'QUOTED=a "b c" -- d',
        'SHARED=own',
      ].sort(),
    );
    expect(rest.slice(-3)).toEqual(['daemon', 'daemon', 'daemon']);
    expect(result.events[0]).toMatchObject({image_digest: images.digests.daemon});
  });

  it('gives its user the files in /in, and room in /out and /persist', async () => {
    const id = await create('--persist');
    const command =
      'stat -c %U /in/package.json; echo out > /out/mine; echo kept > /persist/mine; cat /persist/mine';
    const result = await vm(['exec', '--vm', id, '--file', 'package.json', '--cmd', command]);
    expect([result.code, guestStderr(result)]).toEqual([0, '']);
    expect(result.stdout.toString()).toBe('daemon\nkept\n');
    expect(readFileSync(join(state.path, 'vms', id, 'out', 'mine'), 'utf8')).toBe('out\n');
  });

  it('with a user or a folder that it has not is an error of ours, with the reason', async () => {
    const result = await vm(['temp', ...image('absent'), '--cmd', 'echo never']);
    expect([result.code, result.stdout.toString()]).toEqual([125, '']);
    expect(verdictOf(result)).toMatchObject({origin: 'agent', exit_code: 125});
    expect(String(verdictOf(result).error)).toMatch(/nobody-knows|not there/);
  });
});
