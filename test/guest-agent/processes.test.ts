import {expect, test} from 'vitest';
import {eventually} from './eventually.ts';
import {type StdioAgent, startAgent, withAgent} from './stdio-agent.ts';
import {encodeFields, Tag, Type} from './wire.ts';

/** Background processes in several disguises, each sleeping for a time that marks it. */
const brood = (seconds: string) =>
  [
    `sleep ${seconds} &`,
    `setsid sleep ${seconds} &`,
    `(setsid sh -c 'sleep ${seconds} & sleep ${seconds}' &)`,
    `sh -c '(trap "" TERM; sleep ${seconds}) &'`,
  ].join('\n');

const count = async (agent: StdioAgent, seconds: string): Promise<number> =>
  Number((await agent.peer.run(`ps ax -o args= | grep -c "^sleep ${seconds}$"`)).stdout);

test('signals the process group with scope 0', () =>
  withAgent(async (agent) => {
    const session = agent.peer.sh('trap "echo caught; exit 7" TERM; sleep 1000 & echo ready; wait');
    while (session.stdout === '') await agent.peer.ping();
    await session.signal(15, 0);
    expect((await session.exit).code).toBe(7);
    expect(session.stdout).toBe('ready\ncaught\n');
  }));

test('signals a command right after its start', () =>
  withAgent(async ({peer}) => {
    for (let i = 0; i < 30; i++) {
      const session = peer.exec(['sleep', '1000']);
      await session.signal(15, 0);
      expect((await session.exit).signal).toBe(15);
    }
  }));

test('leaves no process of the session with SIGKILL and scope 1', () =>
  withAgent(async (agent) => {
    const seconds = String(100_000 + Math.floor(Math.random() * 1e6));
    const session = agent.peer.sh(`${brood(seconds)}\necho ready; wait; sleep 1000`);
    while (session.stdout === '') await agent.peer.ping();
    await eventually(() => count(agent, seconds)).toBe(5);
    await session.signal(9, 1);
    expect((await session.exit).signal).toBe(9);
    await eventually(() => count(agent, seconds)).toBe(0);
  }));

test('lets what a command left behind go on, even when it prints', () =>
  withAgent(async (agent) => {
    const seconds = String(100_000 + Math.floor(Math.random() * 1e6));
    const session = agent.peer.sh(
      `(while :; do echo noise || exit; sleep 0.02; done) & sleep ${seconds} & echo $!; exit 5`,
    );
    expect((await session.exit).code).toBe(5);
    const output = session.stdout;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(session.stdout).toBe(output);
    expect(await count(agent, seconds)).toBe(1);
    await agent.peer.run(`kill ${output.split('\n')[0]}`);
  }));

test('takes everything that is printed after the end of the command', () =>
  withAgent(async (agent) => {
    const seconds = String(100_000 + Math.floor(Math.random() * 1e6));
    await agent.peer.sh(`(head -c 3000000 /dev/zero; sleep ${seconds}) & exit 0`).exit;
    await eventually(() => count(agent, seconds)).toBe(1);
    await agent.peer.run(`pkill -f "^sleep ${seconds}$"`);
  }));

test('leaves no process when the agent itself is killed', async () => {
  const agent = startAgent();
  const witness = startAgent();
  const seconds = String(100_000 + Math.floor(Math.random() * 1e6));
  const session = agent.peer.sh(`${brood(seconds)}\necho ready; wait; sleep 1000`);
  await eventually(() => session.stdout).toBe('ready\n');
  agent.process.kill('SIGKILL');
  await eventually(() => count(witness, seconds)).toBe(0);
  witness.peer.close();
  expect(await witness.ended).toBe(0);
});

test('reaps orphans', () =>
  withAgent(async (agent) => {
    await agent.peer.run('for i in 1 2 3 4 5 6 7 8; do (setsid sleep 0.1 &) ; done');
    const zombies = async () =>
      Number((await agent.peer.run(`ps ax -o stat=,ppid= | grep -c "^Z.* ${agent.process.pid}$"`)).stdout);
    await eventually(zombies).toBe(0);
  }));

test('answers SHUTDOWN when everything has ended', () =>
  withAgent(async (agent) => {
    const seconds = String(100_000 + Math.floor(Math.random() * 1e6));
    const polite = agent.peer.sh('trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.05; done');
    const deaf = agent.peer.sh(`trap "" TERM; echo ready; ${brood(seconds)}\nwhile :; do sleep 0.05; done`);
    while (!polite.stdout || !deaf.stdout) await agent.peer.ping();
    const done = agent.peer.next(Type.shutdown);
    const started = performance.now();
    await agent.peer.send(Type.shutdown, 0, encodeFields([[Tag.grace, {u32: 300}]]));
    const late = agent.peer.exec(['true']);
    expect((await polite.exit).code).toBe(3);
    expect(await late.exit).toMatchObject({code: 125, reason: 'agent: shutdown'});
    expect((await deaf.exit).signal).toBe(9);
    await done;
    expect(performance.now() - started).toBeGreaterThan(250);
    expect(await agent.ended).toBe(0);
    expect(polite.stdout).toContain('bye');
  }));
