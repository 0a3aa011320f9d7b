import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type InnerGuest, startInner} from './inner-guest.ts';
import {bootOuter, type OuterGuest, runIn} from './outer-guest.ts';

const COMMAND_MS = 60_000;
const PORT = 4711;

/** A host's loopback, and an address of one of its interfaces. */
const ADDRESSES = ['127.0.0.1', '198.51.100.7'] as const;
const ways = ADDRESSES.flatMap((address) => ['tcp', 'udp'].map((protocol) => ({protocol, address})));

let outer: OuterGuest;

beforeAll(async () => {
  outer = await bootOuter();
  await outer.run(`ip address add ${ADDRESSES[1]}/32 dev lo`);
  await outer.run(`net-probe serve 0.0.0.0 ${PORT} </dev/null >/dev/null 2>&1 &`);
  for (const {protocol, address} of ways) {
    expect((await outer.run(`net-probe ${protocol} ${address} ${PORT}`)).stdout).toBe('answer\n');
  }
});

afterAll(() => outer?.end());

const withGuest = (through: readonly string[]) => {
  let inner: InnerGuest;
  beforeAll(async () => {
    inner = await startInner(outer, {streams: 'sockets', through});
  });
  afterAll(() => inner?.vmm.kill());
  return (script: string) => runIn(inner.guest, script, COMMAND_MS);
};

describe('without a network namespace', () => {
  const run = withGuest([]);

  test.each(ways)("the guest's sockets are the host's own: $protocol to $address", async (way) => {
    const answer = await run(`net-probe ${way.protocol} ${way.address} ${PORT}`);
    expect(answer).toMatchObject({code: 0, stdout: 'answer\n'});
  });
});

describe('in an empty network namespace', () => {
  const run = withGuest(['unshare', '-m', '-n']);

  test.each(ways)('nothing answers to $protocol to $address', async (way) => {
    const {code, stdout} = await run(`net-probe ${way.protocol} ${way.address} ${PORT}`);
    expect(stdout).not.toContain('answer');
    expect(code).toBe(1);
  });

  test('commands and their exit codes are as they were', async () => {
    expect(await run('echo there; exit 42')).toMatchObject({code: 42, stdout: 'there\n'});
  });
});

describe('a server of the guest’s own on its loopback', () => {
  const ask = 'net-probe serve 127.0.0.1 5000 </dev/null >/dev/null 2>&1 & sleep 2; net-probe';

  describe('in an empty network namespace', () => {
    const run = withGuest(['unshare', '-m', '-n']);

    test('cannot be reached', async () => {
      const {code, stdout} = await run(`${ask} tcp 127.0.0.1 5000`);
      expect(code).toBe(1);
      expect(stdout).toContain('unreachable');
    });
  });

  describe('in one whose loopback is up, as the launcher makes it', () => {
    const run = withGuest(['unshare', '-m', '-n', 'sh', '-c', 'ip link set lo up; exec "$@"', 'sh']);

    test('answers', async () => {
      expect(await run(`${ask} tcp 127.0.0.1 5000`)).toMatchObject({code: 0, stdout: 'answer\n'});
    });

    test.each(ways)('nothing of the host answers to $protocol to $address', async (way) => {
      const {code, stdout} = await run(`net-probe ${way.protocol} ${way.address} ${PORT}`);
      expect(stdout).not.toContain('answer');
      expect(code).toBe(1);
    });
  });
});
