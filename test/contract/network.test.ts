import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {networkInterfaces} from 'node:os';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {AgentResult} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {useBench} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();

const tcp = createServer((socket) => socket.pipe(socket).on('error', () => {}));
const udp = createSocket('udp4', (message, from) => udp.send(message, from.port, from.address));
/** Who has reached us, by any way: nobody may, where there is no network. */
let visits = 0;
let ports = {tcp: 0, udp: 0};

beforeAll(async () => {
  tcp.on('connection', () => {
    visits += 1;
  });
  udp.on('message', () => {
    visits += 1;
  });
  udp.bind(0);
  tcp.listen(0);
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
  const address = tcp.address();
  ports = {tcp: typeof address === 'object' && address ? address.port : 0, udp: udp.address().port};
});

afterAll(() => {
  tcp.close();
  udp.close();
});

/** Says a line for each way out: `WAY<tab>echo` where it led to somebody who answered, else why not. */
const probe = (ways: Readonly<Record<string, string>>): string => `
reach() {
  answer=$(timeout 5 bash -c 'exec 3<>"/dev/$1" && echo echo >&3 && head -c 4 <&3' - "$2" 2>&1) || answer="no: $answer"
  printf '%s\\t%s\\n' "$1" "$(echo $answer)"
}
while IFS=: read -r name _; do
  case $name in *'|'*) ;; *) printf 'device\\t%s\\n' $name ;; esac
done < /proc/net/dev
${Object.entries(ways)
  .map(([name, way]) => `reach '${name}' '${way}'`)
  .join('\n')}
`;

/** How it sounds where there is no way; silence is a datagram that nobody got. */
const unreachable =
  /^no:(| .*(?:Network is unreachable|Connection refused|Cannot assign requested address|not known|name resolution).*)$/;

const read = (result: AgentResult): readonly (readonly [string, string])[] => {
  expect([result.code, guestStderr(result)]).toEqual([0, '']);
  const lines = result.stdout.toString().trimEnd().split('\n');
  return lines.map((line) => line.split('\t') as [string, string]);
};

/** Where a guest may hope to find this machine, another one, or somebody who knows names. */
const waysOut = (): Readonly<Record<string, string>> => ({
  'tcp gateway': `tcp/10.0.2.2/${ports.tcp}`,
  'udp gateway': `udp/10.0.2.2/${ports.udp}`,
  'tcp loopback': `tcp/127.0.0.1/${ports.tcp}`,
  'udp loopback': `udp/127.0.0.1/${ports.udp}`,
  'tcp ipv6 loopback': `tcp/::1/${ports.tcp}`,
  'tcp ipv6 gateway': `tcp/fec0::2/${ports.tcp}`,
  'tcp metadata': 'tcp/169.254.169.254/80',
  'tcp public': 'tcp/192.0.2.1/80',
  'udp public': 'udp/192.0.2.1/53',
  'udp resolver': 'udp/10.0.2.3/53',
  name: 'tcp/example.invalid/80',
  ...Object.fromEntries(ownAddresses().map((address) => [`tcp ${address}`, `tcp/${address}/${ports.tcp}`])),
});

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({family, internal}) => family === 'IPv4' && !internal)
    .map(({address}) => address);

describe.each(launchers)('with $name, a VM', (launcher) => {
  const {vm, create, image} = useBench(launcher, images);
  const {hostLoopback} = launcher.differences;

  const inTemp = (script: string, ...flags: readonly string[]): Promise<AgentResult> =>
    vm(['temp', ...image(), ...flags, '--timeout', '90', '--cmd', 'bash'], {input: script});

  const inCreated = async (script: string): Promise<AgentResult> => {
    const id = await create();
    return await vm(['exec', '--vm', id, '--timeout', '90', '--cmd', 'bash'], {input: script});
  };

  it.each([
    ['temp', inTemp],
    ['create and exec', inCreated],
  ])('of %s reaches nothing at all unless it was asked for', async (_, run) => {
    visits = 0;
    const ways = waysOut();
    const found = read(await run(probe(ways)));
    expect(found.filter(([name]) => name === 'device')).toEqual([['device', 'lo']]);
    expect(found.map(([name]) => name)).toEqual(['device', ...Object.keys(ways)]);
    for (const [name, answer] of found.filter(([way]) => way !== 'device'))
      expect.soft(answer, name).toMatch(unreachable);
    expect(visits).toBe(0);
  });

  it('with --network allow_all reaches this machine', async () => {
    visits = 0;
    const isHosts = hostLoopback === '127.0.0.1';
    const ways = {
      tcp: `tcp/${hostLoopback}/${ports.tcp}`,
      udp: `udp/${hostLoopback}/${ports.udp}`,
      loopback: `tcp/127.0.0.1/${ports.tcp}`,
    };
    const found = read(await inTemp(probe(ways), '--network', 'allow_all'));
    const {loopback, ...hosts} = Object.fromEntries(found);
    expect(hosts).toMatchObject({tcp: 'echo', udp: 'echo'});
    expect(loopback).toMatch(isHosts ? /^echo$/ : unreachable);
    expect(visits).toBe(isHosts ? 3 : 2);
  });
});
