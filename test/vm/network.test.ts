import {createSocket} from 'node:dgram';
import {getServers} from 'node:dns';
import {once} from 'node:events';
import {expect, it} from 'vitest';
import {agent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {useState} from '../support/vm-state.js';

const state = useState();

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

const probe = `
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(3)
    s.connect(('10.0.2.3', 53))
    s.send(bytes.fromhex('${QUESTION}'))
    try:
        print('answer' if s.recv(512)[:2] == b'\\x12\\x34' else 'other')
    except OSError as error:
        print(type(error).__name__)
`;

it('the name server of a VM with a network is that of this machine', async () => {
  const flags = ['--language', 'python', '--launcher', 'qemu', '--network', 'allow_all', '--timeout', '90'];
  const result = await agent(['vm', 'temp', ...flags, '-'], {state, input: probe});
  expect(guestStderr(result)).toBe('');
  expect(result.stdout.toString()).toBe((await ownResolverAnswers()) ? 'answer\n' : 'TimeoutError\n');
});
