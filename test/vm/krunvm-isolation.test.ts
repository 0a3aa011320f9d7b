/** `--network none` is an empty network namespace: seen from inside, as root and as an ordinary user, or no VM at all. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readlinkSync} from 'node:fs';
import {createServer} from 'node:net';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type AgentResult, executable, jsonLines} from '../support/agent.js';
import {endProcess} from '../support/end-process.js';
import {failureOf, IMAGE, makeStub, realProgram, useKrunvm} from './krunvm-fixture.js';
import {until, watch} from './krunvm-process.js';
import {leftoversOf, nothing, processesOf} from './krunvm-traces.js';
import {makeUser, type OrdinaryUser} from './krunvm-user.js';

const fixture = useKrunvm();
const {state, run} = fixture;

const server = createServer((socket) => socket.destroy());
let visits = 0;
let look = '';
beforeAll(async () => {
  server.on('connection', () => {
    visits += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  look = `while read -r name _; do echo "$name"; done < /proc/net/dev
readlink /proc/self/ns/net
(echo > /dev/tcp/127.0.0.1/${port}) 2>/dev/null && echo reached || echo not reached`;
});
afterAll(() => {
  server.close();
});

/** What a guest has seen that has nothing but its own loopback, in a namespace that is not the host's. */
const expectNoNetwork = ({code, stdout}: AgentResult): void => {
  const [, , ...lines] = stdout.toString().trim().split('\n');
  expect({code, lines}).toEqual({
    code: 0,
    lines: ['lo:', expect.stringMatching(/^net:\[\d+\]$/), 'not reached'],
  });
  expect(lines[1]).not.toBe(readlinkSync('/proc/self/ns/net'));
};

const expectHostNetwork = ({code, stdout}: AgentResult): void => {
  expect(code).toBe(0);
  expect(stdout.toString()).toContain(`${readlinkSync('/proc/self/ns/net')}\nreached\n`);
};

const make = ['vm', 'create', '--image', IMAGE];
const create = (network: string) => [...make, '--name', network, '--network', network];
const exec = (name: string) => ['vm', 'exec', '--vm', name, '--cmd', look];
const temp = () => ['vm', 'temp', '--image', IMAGE, '--cmd', look];

const expectIsolation = async (agent: (args: readonly string[]) => Promise<AgentResult>): Promise<void> => {
  visits = 0;
  expect((await agent(create('none'))).code).toBe(0);
  expectNoNetwork(await agent(exec('none')));
  expectNoNetwork(await agent(temp()));
  expect(visits).toBe(0);
  // The same, where it is allowed: so the look would have seen it.
  expect((await agent(create('allow_all'))).code).toBe(0);
  expectHostNetwork(await agent(exec('allow_all')));
  expect(visits).toBe(1);
};

/** Refused with the reason, and nothing is left. */
const expectRefusal = (result: AgentResult, reason: string): void => {
  expect({code: result.code, stdout: result.stdout.toString()}).toEqual({code: 1, stdout: ''});
  expect(failureOf(result)).toMatchObject({
    code: 'ISOLATION_UNAVAILABLE',
    details: [reason],
    hint: expect.stringContaining('--launcher qemu'),
  });
};

/** An unshare that may not make network namespaces. */
const refusing = 'unshare: unshare failed: Operation not permitted';
const stubOfUnshare = (path: string): string =>
  makeStub(
    {path},
    'unshare',
    `for word; do [ "$word" = -- ] && break; [ "$word" = --net ] && { echo "${refusing}" >&2; exit 1; }; done
exec ${realProgram('unshare')} "$@"`,
  );

describe('--network none', () => {
  it('leaves a guest no network', async () => {
    await expectIsolation((args) => run(args));
  });

  it('is refused where the system allows no network namespace; auto takes a launcher that needs none', async () => {
    await run(['vm', 'clean', '--all']);
    const forbidding = 'echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"';
    const words = ['unshare', '--user', '--map-root-user', '--', 'sh', '-euc', forbidding, 'sh'];
    const launch = async (...more: readonly string[]): Promise<AgentResult> => {
      const [file = '', ...args] = [...words, process.execPath, executable, ...create('none'), ...more];
      const env = {...process.env, ...fixture.environment(), AGENT_STATE_DIR: state.path};
      return await watch(spawn(file, args, {env, stdio: 'pipe'})).ended;
    };
    expectRefusal(await launch(), 'unshare: unshare failed: No space left on device');
    expect(leftoversOf(state)).toEqual(nothing);
    const {code, stdout} = await launch('--launcher', 'auto');
    expect({code, events: jsonLines(stdout.toString())}).toMatchObject({
      code: 0,
      events: [{launcher: 'qemu'}],
    });
  });
});

describe('as an ordinary user', () => {
  let user: OrdinaryUser;
  const agent = (args: readonly string[], stubs?: string): Promise<AgentResult> => {
    const {child, ended} = user.begin(args, stubs);
    child.stdin?.end();
    return ended;
  };
  beforeAll(async () => {
    user = await makeUser();
  });
  afterAll(() => {
    user.remove();
  });

  it('--network none is refused where unshare is', async () => {
    expectRefusal(await agent(create('none'), stubOfUnshare(user.home)), refusing);
    expect(JSON.parse((await agent(['vm', 'list', '--all', '--json'])).stdout.toString())).toEqual([]);
  });

  it('--network none leaves a guest no network', async () => {
    await expectIsolation(agent);
  });

  it('a VM ends with its monitor, also where that is killed and the guest speaks without end', async () => {
    expect((await agent(['vm', 'stop', '--all'])).code).toBe(0);
    const endless = 'while :; do echo yyyyyyyy; done';
    const {said, ended} = user.begin(['vm', 'exec', '--vm', 'none', '--cmd', endless, '--timeout', '90']);
    await until('the command runs', () => said().includes('yyyy'));
    const lines = processesOf(user.state).filter(({line}) => line.includes('monitor-main.js'));
    expect(lines).toHaveLength(1);
    for (const {pid} of lines) endProcess(pid);
    expect((await ended).code).toBe(125);
    await until('nothing of it is left', () => processesOf(user.state).length === 0, 2_000);
  });

  it('cleaning leaves nothing, and nothing that the user could not remove', async () => {
    expect((await agent(['vm', 'clean', '--all'])).code).toBe(0);
    expect(leftoversOf(user.state)).toEqual(nothing);
  });
});
