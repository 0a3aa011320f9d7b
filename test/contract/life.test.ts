/** What a VM keeps, and what becomes of it, from its making to its end. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {useBench, verdictOf} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();

describe.each(launchers)('with $name', (launcher) => {
  const {vm, create, vms, cleanAll, image, isIdle, state} = useBench(launcher, images);
  afterEach(cleanAll);

  const hasBooted = (id: string): boolean => existsSync(join(state.path, 'vms', id, 'console.log'));

  /** Standard output of a command; anything on standard error is a failure. */
  const said = async (id: string, command: string): Promise<string> => {
    const result = await vm(['exec', '--vm', id, '--cmd', command]);
    expect([result.code, guestStderr(result)]).toEqual([0, '']);
    return result.stdout.toString();
  };

  it('what a command writes stays for the next one and over a stop; memory does not', async () => {
    const id = await create('--name', 'keeper');
    expect(hasBooted(id)).toBe(false);
    await said(id, 'echo first > /srv/note; chmod 640 /srv/note; echo x > /dev/shm/note; rm /etc/group');
    expect(hasBooted(id)).toBe(true);
    expect((await vm(['stop', '--vm', id])).code).toBe(0);
    expect(isIdle()).toBe(true);
    expect(await vms()).toMatchObject([{id, status: 'stopped', launcher: launcher.name}]);
    const after = 'cat /srv/note; stat -c %a /srv/note; test -e /etc/group || echo removed; ls /dev/shm';
    expect(await said('keeper', after)).toBe('first\n640\nremoved\n');
    expect(await vms()).toMatchObject([{id, status: 'running', failure: null}]);
  });

  it('a VM that is up serves command after command, and several at once, without booting again', async () => {
    const id = await create();
    await said(id, 'sleep 1000 & echo first > /dev/shm/note');
    const [before] = await vms();
    const both = await Promise.all([
      said(
        id,
        'until grep -qs second /dev/shm/second; do sleep 0.1; done; cat /dev/shm/note /dev/shm/second',
      ),
      said(id, 'echo second > /dev/shm/second'),
    ]);
    expect(both).toEqual(['first\nsecond\n', '']);
    const left = 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -c "sleep 100[0]"';
    expect(await said(id, left)).toBe('1\n');
    const {status, pid} = before ?? {};
    expect(status).toBe('running');
    expect(await vms()).toMatchObject([{status, pid}]);
  });

  it('a guest has the VM’s own name, processors and processes, and runs commands as root', async () => {
    const {stdout, events} = await vm([
      ...['temp', ...image(), '--cpu', '2', '--cmd'],
      'cat /proc/sys/kernel/hostname /etc/hostname; id -u; pwd; ls -d /proc/[0-9]* | wc -l; exit 3',
    ]);
    const [name, file, uid, folder, processes] = stdout.toString().split('\n');
    expect([name, file]).toEqual([events[0]?.id, events[0]?.id]);
    expect([uid, folder]).toEqual(['0', '/']);
    expect(Number(processes)).toBeLessThan(200);
    expect(events[0]).toMatchObject({cpu_count: 2, launcher: launcher.name});
    expect(events.map(({message}) => message)).toEqual([
      'temporary vm created',
      'temporary vm execution failed',
      'temporary vm cleaned up',
    ]);
    expect(verdictOf({stdout, events})).toMatchObject({exit_code: 3, launcher: launcher.name});
  });

  it('/persist outlives a stop and, if asked for, the VM', async () => {
    const id = await create('--persist');
    const counted = 'echo run >> /persist/runs; grep -c run /persist/runs';
    expect(await said(id, counted)).toBe('1\n');
    await vm(['stop', '--vm', id]);
    expect(await said(id, counted)).toBe('2\n');
    await vm(['clean', '--vm', id, '--keep-persist']);
    expect(existsSync(join(state.path, 'vms', id))).toBe(false);
    expect(readdirSync(join(state.path, 'persist'))).toEqual([id]);
    expect(await vms()).toEqual([]);
    expect((await vm(['clean', '--vm', id])).code).toBe(0);
  });

  it('looking at VMs, and stopping one that is not up, boots nothing', async () => {
    const id = await create();
    for (const args of [['list'], ['list', '--all', '--json'], ['inspect', id], ['stop', '--vm', id]])
      expect((await vm(args)).code).toBe(0);
    expect(hasBooted(id)).toBe(false);
  });

  it('a VM stays with the launcher that made it', async () => {
    const id = await create();
    const env = {AGENT_LAUNCHER: launchers.find(({name}) => name !== launcher.name)?.name ?? ''};
    const result = await vm(['exec', '--vm', id, '--cmd', 'true'], {env});
    expect(verdictOf(result)).toMatchObject({exit_code: 0, launcher: launcher.name});
    const [other, ...more] = jsonLines((await vm(['create', ...image()], {env})).stdout.toString());
    expect([other?.launcher, more]).toEqual([env.AGENT_LAUNCHER, []]);
    expect((await vm(['clean', '--vm', id], {env})).code).toBe(0);
    expect(await vms()).toMatchObject([{id: other?.id, launcher: env.AGENT_LAUNCHER}]);
  });
});
