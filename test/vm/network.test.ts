import {createSocket} from 'node:dgram';
import {getServers} from 'node:dns';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {useState} from '../support/vm-state.js';

const state = useState();

/** What user-mode networking calls this machine, and its name server. */
const GATEWAY = '10.0.2.2';
const RESOLVER = '10.0.2.3';
const METADATA = '169.254.169.254';

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
  udp.bind(0, '127.0.0.1');
  tcp.listen(0, '127.0.0.1');
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
  const address = tcp.address();
  ports = {tcp: typeof address === 'object' && address ? address.port : 0, udp: udp.address().port};
});

afterAll(() => {
  tcp.close();
  udp.close();
});

/** A question of the protocol DNS: number 0x1234, the address of `localhost`. */
const QUESTION = `1234 0100 0001 0000 0000 0000 09${Buffer.from('localhost').toString('hex')}00 0001 0001`;

/** Whether the name server that the guest's questions are passed on to says anything at all to this machine. */
const ownResolverAnswers = async (): Promise<boolean> => {
  const [server = ''] = getServers();
  const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
  const patience = AbortSignal.timeout(3_000);
  try {
    socket.send(Buffer.from(QUESTION.replaceAll(' ', ''), 'hex'), 53, server);
    await once(socket, 'message', {signal: patience});
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
};

/** Tries each way out and says what came back: `echo`, `answer`, or the error's name. */
const probe = (): string => `
import errno, json, os, socket
PATIENCE = 3
def attempt(action):
    try:
        return action()
    except OSError as error:
        return errno.errorcode.get(error.errno) or type(error).__name__
def tcp(host, port):
    with socket.create_connection((host, port), PATIENCE) as s:
        s.sendall(b'echo')
        return s.recv(16).decode()
def udp(host, port, data=b'echo'):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(PATIENCE)
        s.connect((host, port))
        s.send(data)
        return s.recv(512)
def dns(host):
    return 'answer' if udp(host, 53, bytes.fromhex('${QUESTION}'))[:2] == b'\\x12\\x34' else 'other'
found = {
    'devices': sorted(os.listdir('/sys/class/net')),
    'routes': len(open('/proc/net/route').readlines()) - 1,
    'resolver': open('/etc/resolv.conf').read() if os.path.exists('/etc/resolv.conf') else '',
    'tcp gateway': attempt(lambda: tcp('${GATEWAY}', ${ports.tcp})),
    'udp gateway': attempt(lambda: udp('${GATEWAY}', ${ports.udp}).decode()),
    'tcp loopback': attempt(lambda: tcp('127.0.0.1', ${ports.tcp})),
    'udp loopback': attempt(lambda: udp('127.0.0.1', ${ports.udp}).decode()),
    'tcp metadata': attempt(lambda: tcp('${METADATA}', 80)),
    'tcp public': attempt(lambda: tcp('192.0.2.1', 80)),
    'udp public': attempt(lambda: udp('192.0.2.1', 53).decode()),
    'tcp ipv6': attempt(lambda: tcp('fec0::2', ${ports.tcp})),
    'tcp resolver': attempt(lambda: tcp('${RESOLVER}', 53)),
}
found['dns'] = attempt(lambda: dns('${RESOLVER}'))
def address():
    try:
        return socket.getaddrinfo('example.com', 80)[0][4][0]
    except socket.gaierror:
        return None
if found['routes'] == 0:
    found['address'] = address()
print(json.dumps(found))
`;

const read = (result: AgentResult): Record<string, unknown> => {
  expect(guestStderr(result)).toBe('');
  return JSON.parse(result.stdout.toString()) as Record<string, unknown>;
};

const cutOff = {
  devices: ['lo'],
  routes: 0,
  'tcp gateway': 'ENETUNREACH',
  'udp gateway': 'ENETUNREACH',
  'tcp loopback': 'ECONNREFUSED',
  'udp loopback': 'ECONNREFUSED',
  'tcp metadata': 'ENETUNREACH',
  'tcp public': 'ENETUNREACH',
  'udp public': 'ENETUNREACH',
  'tcp ipv6': 'ENETUNREACH',
  'tcp resolver': 'ENETUNREACH',
  address: null,
  dns: 'ENETUNREACH',
};

const inTemp = (network: readonly string[]): Promise<AgentResult> =>
  agent(['vm', 'temp', '--language', 'python', ...network, '--timeout', '90', '-'], {
    state,
    input: probe(),
  });

const inCreated = async (network: readonly string[]): Promise<AgentResult> => {
  const {stdout} = await agent(['vm', 'create', '--language', 'python', ...network], {state});
  const {id} = JSON.parse(stdout.toString()) as {id: string};
  const result = await agent(['vm', 'exec', '--vm', id, '--timeout', '90', '--code', probe()], {
    state,
  });
  await agent(['vm', 'clean', '--vm', id], {state});
  return result;
};

describe.each([
  ['vm temp', inTemp],
  ['vm create and vm exec', inCreated],
])('with %s', (_, run) => {
  it('a VM reaches nothing at all unless it was asked for', async () => {
    visits = 0;
    const found = read(await run([]));
    expect(found).toMatchObject(cutOff);
    expect(visits).toBe(0);
  });

  it('a VM with --network allow_all reaches this machine through the gateway', async () => {
    const found = read(await run(['--network', 'allow_all']));
    expect(found).toMatchObject({
      'tcp gateway': 'echo',
      'udp gateway': 'echo',
      'tcp loopback': 'ECONNREFUSED',
      resolver: `nameserver ${RESOLVER}\n`,
    });
    expect(found.devices).toHaveLength(2);
    expect(found.routes).toBe(2);
    expect(found.dns).toBe((await ownResolverAnswers()) ? 'answer' : 'TimeoutError');
  });
});
