import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent, jsonLines} from '../support/agent.js';
import {leftoversOf, nothing, processesOf, useState} from '../support/vm-state.js';

const state = useState();
const vm = (...args: readonly string[]): Promise<AgentResult> => agent(['vm', ...args], {state});

/** The log line on standard output, and its keys in their order. */
const line = ({stdout}: AgentResult, at = 0): Record<string, unknown> =>
  jsonLines(stdout.toString())[at] ?? {};
const keys = (event: Record<string, unknown> | undefined): string[] => Object.keys(event ?? {});

const runFields = ['exit_code', 'stdout', 'stderr', 'duration'];
const runMore = [
  'launcher',
  'accelerator',
  'image_digest',
  'run',
  'timed_out',
  'origin',
  'truncated',
  'phases',
];
const creation = [
  'level',
  'message',
  'time',
  'id',
  'language',
  'rootfs',
  'cpu_count',
  'memoryMiB',
  'network',
  'persisted',
];

const utc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('the life of a VM', () => {
  let id = '';

  it('begins with create, which says what was made', async () => {
    const created = await vm(
      'create',
      '--language',
      'py',
      '--name',
      'builder',
      '--label',
      'team=web',
      '--mem',
      '300M',
    );
    const event = line(created);
    id = String(event.id);
    expect(created.code).toBe(0);
    expect(created.stderr).toBe('');
    expect(keys(event)).toEqual([...creation, 'created_at', 'name', 'launcher', 'image_digest']);
    expect(event).toMatchObject({level: 'info', message: 'vm created', language: 'python', cpu_count: 1});
    expect(event).toMatchObject({memoryMiB: 300, network: 'none', persisted: false, name: 'builder'});
    expect(id).toMatch(/^python-[0-9a-z]{8}$/);
    expect([event.time, event.created_at]).toEqual([expect.stringMatching(utc), expect.stringMatching(utc)]);
  });

  it('goes on with run, which keeps the output in files', async () => {
    const run = await vm('run', '--vm', id, '--cmd', 'echo out; echo err >&2; echo kept > /srv/kept');
    const event = line(run);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(keys(event)).toEqual(['level', 'message', 'time', 'vm', ...runFields, ...runMore]);
    expect(event).toMatchObject({message: 'vm run', vm: id, exit_code: 0, origin: 'guest'});
    expect(event.duration).toMatch(/^\d+\.\d{3}s$/);
    expect(keys(event.phases as Record<string, unknown>)).toEqual(['boot', 'exec', 'cleanup']);
    expect(readFileSync(String(event.stdout), 'utf8')).toBe('out\n');
    expect(readFileSync(String(event.stderr), 'utf8')).toBe('err\n');
    const receipt = JSON.parse(readFileSync(join(String(event.stdout), '..', 'run.json'), 'utf8'));
    expect(receipt).toMatchObject({
      vm: id,
      exitCode: 0,
      origin: 'guest',
      imageDigest: event.image_digest,
      program: {kind: 'command', text: 'echo out; echo err >&2; echo kept > /srv/kept'},
      limits: {timeoutMs: 30_000, memoryMib: 300},
    });
  });

  it('tells of a command that failed, with its exit code', async () => {
    const run = await vm('run', '--vm', id, '--cmd', 'exit 7');
    expect(run.code).toBe(7);
    const [before, after] = [['level', 'message', 'time', 'vm', ...runFields, 'error'], runMore];
    expect(keys(line(run))).toEqual([...before, ...after]);
    expect(line(run)).toMatchObject({level: 'error', message: 'vm run failed', error: 'exit status 7'});
    expect(readdirSync(join(state.path, 'vms', id, 'runs'))).toHaveLength(2);
  });

  it('shows in list and inspect with the same words', async () => {
    const [list, inspect, quiet] = await Promise.all([
      vm('list', '--json'),
      vm('inspect', 'builder'),
      vm('list', '-q', '--label', 'team=web'),
    ]);
    const [listed] = JSON.parse(list.stdout.toString()) as Record<string, unknown>[];
    expect(listed).toEqual(JSON.parse(inspect.stdout.toString()));
    expect(listed).toMatchObject({id, name: 'builder', status: 'running', labels: {team: 'web'}});
    expect(listed?.pid).toEqual(expect.any(Number));
    expect(listed?.last_run_at).toMatch(utc);
    expect(quiet.stdout.toString()).toBe(`${id}\n`);
  });

  it('shows in a table', async () => {
    const {stdout} = await vm('list');
    const [head = '', row = ''] = stdout.toString().split('\n');
    expect(head).toMatch(
      /^ID {2,}Language {2,}Status {2,}CPU {2,}Mem\(MiB\) {2,}Persist {2,}Created {2,}Last Run$/,
    );
    expect(row.split(/ {2,}/).slice(0, 6)).toEqual([
      `${id} (builder)`,
      'python',
      'running',
      '1',
      '300',
      'no',
    ]);
  });

  it('goes on with exec by name or by the beginning of the id, and its log line is on standard error', async () => {
    const [named, begun] = [
      await vm('exec', '--vm', 'builder', '--cmd', 'cat /srv/kept'),
      await vm('exec', '--vm', id.slice(0, 9), '--code', 'import sys; sys.exit("no")'),
    ];
    expect(named.stdout.toString()).toBe('kept\n');
    expect(keys(named.events[0])).toEqual([
      'level',
      'message',
      'time',
      'vm',
      'language',
      ...runFields,
      ...runMore,
    ]);
    expect(named.events[0]).toMatchObject({message: 'vm exec', vm: id, language: 'python'});
    expect([begun.code, begun.stderr.split('\n')[0]]).toEqual([1, 'no']);
    expect(begun.events[0]).toMatchObject({level: 'error', message: 'vm exec failed', exit_code: 1});
  });

  it('is stopped, by its label, and only list --all shows it then', async () => {
    const stopped = await vm('stop', '--label', 'team=web');
    expect(stopped.code).toBe(0);
    expect(keys(line(stopped))).toEqual(['level', 'message', 'time', 'vm', 'language']);
    expect(line(stopped)).toMatchObject({level: 'info', message: 'vm stopped', vm: id, language: 'python'});
    const [some, all] = await Promise.all([vm('list', '--json'), vm('list', '--all', '--json')]);
    expect(JSON.parse(some.stdout.toString())).toEqual([]);
    expect(JSON.parse(all.stdout.toString())).toMatchObject([{id, status: 'stopped'}]);
  });

  it('boots again with the files that it had', async () => {
    const run = await vm('run', '--vm', 'builder', '--cmd', 'cat /srv/kept');
    expect(readFileSync(String(line(run).stdout), 'utf8')).toBe('kept\n');
  });

  it('ends with clean, and cleaning it again is success', async () => {
    const [first, again] = [await vm('clean', '--vm', 'builder'), await vm('clean', '--vm', id)];
    expect([first.code, again.code]).toEqual([0, 0]);
    expect(keys(line(first))).toEqual(['level', 'message', 'time', 'vm', 'language', 'keep_persist']);
    expect(line(first)).toMatchObject({
      message: 'vm cleaned',
      vm: id,
      language: 'python',
      keep_persist: false,
    });
    expect(await leftoversOf(state)).toEqual(nothing);
    const after = await vm('exec', '--vm', id, '--cmd', 'true');
    expect(after.code).toBe(2);
    expect(after.events).toMatchObject([
      {level: 'error', code: 'VM_NOT_FOUND', message: `No VM named '${id}'.`},
    ]);
  });
});

describe('a temporary VM', () => {
  it('says what was made, what came of it, and that it is gone', async () => {
    const {events, stdout} = await vm('temp', '--language', 'node', '--cpu', '2', '--cmd', 'nproc');
    const [created, completed, cleaned] = events;
    expect(stdout.toString()).toBe('2\n');
    expect(keys(created)).toEqual([...creation, 'launcher', 'image_digest']);
    expect(keys(completed)).toEqual(['level', 'message', 'time', 'vm', 'language', ...runFields, ...runMore]);
    expect(keys(cleaned)).toEqual(['level', 'message', 'time', 'vm']);
    expect(events.map(({message}) => message)).toEqual([
      'temporary vm created',
      'temporary vm execution completed',
      'temporary vm cleaned up',
    ]);
    expect(keys(completed?.phases as Record<string, unknown>)).toEqual([
      'image',
      'provision',
      'boot',
      'exec',
      'cleanup',
    ]);
  });

  it('gives one JSON object on standard output with --json, and logs the rest', async () => {
    const result = await vm(
      'temp',
      '--language',
      'node',
      '--json',
      '--cmd',
      'echo out; echo err >&2; exit 3',
    );
    const objects = jsonLines(result.stdout.toString());
    expect(objects).toHaveLength(1);
    expect(objects[0]).toMatchObject({message: 'temporary vm execution failed', exit_code: 3});
    expect(objects[0]).toMatchObject({stdout_text: 'out\n', stderr_text: 'err\n'});
    expect(result.events.map(({message}) => message)).toEqual([
      'temporary vm created',
      'temporary vm cleaned up',
    ]);
    expect(result.code).toBe(3);
  });
});

describe('several VMs at once', () => {
  let ids: string[] = [];

  beforeAll(async () => {
    const made = await Promise.all([
      vm('create', '--language', 'python', '--env', 'WHO=first'),
      vm('create', '--language', 'python', '--env', 'WHO=second'),
    ]);
    ids = made.map((created) => String(line(created).id));
  });

  afterAll(async () => {
    await vm('clean', '--all');
  });

  it('each put their name before the lines they write', async () => {
    const result = await vm('exec', '--all', '--cmd', 'echo "I am $WHO"; echo "$WHO again" >&2; exit 0');
    const lines = result.stdout.toString().trimEnd().split('\n').sort();
    expect(lines).toEqual([`${ids[0]} | I am first`, `${ids[1]} | I am second`].sort());
    expect(result.stderr).toContain(`${ids[0]} | first again\n`);
    expect(result.events.map((event) => event.vm).sort()).toEqual([...ids].sort());
    expect(result.code).toBe(0);
  });

  it('each give one JSON object with --json; the exit code is the first that is not 0 in the order asked for', async () => {
    const [first = '', second = ''] = ids;
    const command = 'echo $WHO; test $WHO = first && exit 5; exit 6';
    const result = await vm('exec', '--vm', second, '--vm', first, '--json', '--cmd', command);
    const objects = jsonLines(result.stdout.toString());
    const said = Object.fromEntries(
      objects.map((object) => [object.vm, [object.exit_code, object.stdout_text]]),
    );
    expect(said).toEqual({[first]: [5, 'first\n'], [second]: [6, 'second\n']});
    expect(keys(objects[0]).slice(0, 5)).toEqual(['level', 'message', 'time', 'vm', 'language']);
    expect([result.code, result.stderr]).toEqual([6, '']);
  });

  it('are stopped and cleaned with one log line each', async () => {
    const stopped = await vm('stop', '--all');
    const cleaned = await vm('clean', '--all', '--keep-persist');
    const told = [stopped, cleaned].map(({stdout}) => jsonLines(stdout.toString()).map((event) => event.vm));
    expect(told.map((each) => each.sort())).toEqual([[...ids].sort(), [...ids].sort()]);
    expect(line(cleaned)).toMatchObject({message: 'vm cleaned', keep_persist: true});
    expect(processesOf(state)).toEqual([]);
    const again = await vm('clean', '--all');
    expect([again.code, again.stdout.toString()]).toEqual([0, '']);
  });
});
