/** Several commands at the same time: of each pair one wins, the other says who did, and nothing is left. */
import {afterEach, describe, expect, it} from 'vitest';
import {type AgentResult, jsonLines} from '../support/agent.js';
import {until} from '../support/until.js';
import {leftoversOf, nothing} from '../support/vm-state.js';
import {useBench} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();

const linesOf = (result: AgentResult): Record<string, unknown>[] => jsonLines(result.stdout.toString());

describe.each(launchers)('with $name', (launcher) => {
  const {vm, begin, create, image, vms, whenOnly, cleanAll, state} = useBench(launcher, images);
  const {atOnce, slowBoot} = launcher.differences;
  afterEach(cleanAll);

  it('20 creates, as many runs as it can bear, and 20 cleans at once lose no VM and leave nothing', async () => {
    const ids = await Promise.all(Array.from({length: 20}, (_, at) => create('--env', `NUMBER=${at}`)));
    const listed = await vms();
    expect(new Set(listed.map(({id}) => id))).toEqual(new Set(ids));
    expect(listed.every(({status}) => status === 'ready')).toBe(true);

    const running = ids.slice(0, atOnce).map((id) => vm(['exec', '--vm', id, '--cmd', 'echo $NUMBER']));
    const ran = await Promise.all(running);
    expect(ran.map(({code, stdout}) => `${code} ${stdout}`)).toEqual(ran.map((_, at) => `0 ${at}\n`));

    const cleaned = await Promise.all(ids.map((id) => vm(['clean', '--vm', id])));
    expect(cleaned.map(({code, stderr}) => ({code, stderr}))).toEqual(
      cleaned.map(() => ({code: 0, stderr: ''})),
    );
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  it('a VM that several want is booted once, and serves them all', async () => {
    const id = await create();
    const results = await Promise.all(
      [1, 2, 3].map((n) =>
        vm(['exec', '--vm', id, '--cmd', `echo ${n}; cat /proc/sys/kernel/random/boot_id`]),
      ),
    );
    const said = results.map(({code, stdout}) => `${code} ${stdout}`.trim().split('\n'));
    expect(said.map(([first]) => first)).toEqual(['0 1', '0 2', '0 3']);
    expect(new Set(said.map(([, boot]) => boot)).size).toBe(1);
    expect(await vms()).toMatchObject([{id, status: 'running'}]);
  });

  it.each([
    ['stopped', 'stop', 'running', ['stopped']],
    ['cleaned', 'clean', 'running', []],
    ['stopped while it boots', 'stop', 'booting', ['stopped']],
    ['cleaned while it boots', 'clean', 'booting', []],
  ] as const)('a VM that is %s ends its run, which says who did it', async (_, verb, status, after) => {
    await create('--name', 'taken');
    const args = ['run', '--vm', 'taken', '--cmd', 'sleep 300', '--timeout', '200'];
    const running = vm(args, {env: slowBoot});
    await whenOnly(status);
    expect(await vm([verb, '--vm', 'taken'])).toMatchObject({code: 0, stderr: ''});
    const result = await running;
    expect(result.code).toBe(125);
    expect(linesOf(result)).toMatchObject([
      {code: 'VM_BUSY', error: expect.stringMatching(/was (stopped|cleaned|removed) by /)},
    ]);
    expect((await vms()).map((each) => each.status)).toEqual(after);
  });

  it('a VM that is stopped has written its disk, and leaves the other VMs of its command alone', async () => {
    await Promise.all([create('--name', 'one'), create('--name', 'other')]);
    const command = 'echo kept > /srv/note; echo written; sleep 300';
    const {ended, said} = begin(['exec', '--all', '--cmd', command, '--timeout', '200']);
    await until('both have written', () => said().match(/written/g)?.length === 2);
    expect((await vm(['stop', '--vm', 'one'])).code).toBe(0);
    const statuses = Object.fromEntries((await vms()).map(({name, status}) => [name, status]));
    expect(statuses).toEqual({one: 'stopped', other: 'running'});
    expect((await vm(['exec', '--vm', 'one', '--cmd', 'cat /srv/note'])).stdout.toString()).toBe('kept\n');
    await vm(['stop', '--vm', 'other']);
    expect((await ended).code).toBe(125);
  });

  it('cleaning takes what is being created', async () => {
    const creating = Array.from({length: 6}, () => vm(['create', ...image()]));
    const cleaned = await Promise.all(Array.from({length: 3}, () => vm(['clean', '--all'])));
    const created = await Promise.all(creating);
    expect(cleaned.map(({code}) => code)).toEqual([0, 0, 0]);
    for (const {code, events} of created.filter((result) => result.code !== 0))
      expect({code, events}).toMatchObject({code: 1, events: [{code: 'VM_BUSY'}]});
  });

  it('cleaning ends what runs on all VMs, and twice at once succeeds twice', async () => {
    await Promise.all([create(), create()]);
    const {ended, said} = begin(['exec', '--all', '--cmd', 'echo up; sleep 300', '--timeout', '200']);
    await until('both are up', () => said().match(/up/g)?.length === 2);
    const results = await Promise.all([vm(['clean', '--all']), vm(['clean', '--all'])]);
    expect(results.map(({code, stderr}) => ({code, stderr}))).toEqual([
      {code: 0, stderr: ''},
      {code: 0, stderr: ''},
    ]);
    expect((await ended).code).toBe(125);
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  it('four temporary VMs each say their own', async () => {
    const results = await Promise.all(
      [1, 2, 3, 4].map((n) => vm(['temp', ...image(), '--cmd', `echo ${n}`])),
    );
    const said = results.map(({code, stdout}) => `${code} ${stdout}`);
    expect(said).toEqual(['0 1\n', '0 2\n', '0 3\n', '0 4\n']);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});
