import {mkdtempSync, rmSync} from 'node:fs';
import {connect, createServer, type Server, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {openQmp, type Qmp} from '../../../../src/launcher/qemu/template/qmp.js';

let folder: string;
let server: Server;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  rmSync(folder, {recursive: true});
});

/** At the other end is somebody who answers each line so. */
const open = async (answer: (line: string, socket: Socket) => void): Promise<Qmp> => {
  folder = mkdtempSync(join(tmpdir(), 'qmp-'));
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write('{"QMP": {"version": {}, "capabilities": []}}\r\n');
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().trim().split('\n')) answer(line, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
  const socket = connect(join(folder, 's'));
  sockets.push(socket);
  return await openQmp(socket);
};

const polite = (line: string, socket: Socket): void => {
  const {execute} = JSON.parse(line);
  if (execute === 'qmp_capabilities') socket.write('{"return": {}}\r\n');
  if (execute === 'query-status')
    socket.write('{"event": "STOP"}\r\nnoise\r\n{"return": {"status": "x"}}\r\n');
  if (execute === 'nonsense')
    socket.write('{"error": {"class": "CommandNotFound", "desc": "not found"}}\r\n');
  if (execute === 'quit') socket.end();
  if (execute === 'flood') socket.write('x'.repeat(2 * 1024 * 1024));
};

describe('QMP', () => {
  it('answers commands, whatever comes in between', async () => {
    const qmp = await open(polite);
    expect(await qmp.execute('query-status')).toEqual({status: 'x'});
  });

  it('says what QEMU refuses', async () => {
    const qmp = await open(polite);
    await expect(qmp.execute('nonsense')).rejects.toMatchObject({
      code: 'BOOT_FAILED',
      message: 'QEMU: nonsense: not found',
    });
    expect(await qmp.execute('query-status')).toEqual({status: 'x'});
  });

  it('ends with QEMU', async () => {
    const qmp = await open(polite);
    await expect(qmp.execute('quit')).rejects.toThrow('QEMU has ended before it answered quit');
  });

  it('takes no flood', async () => {
    const qmp = await open(polite);
    await expect(qmp.execute('flood')).rejects.toThrow('QEMU has ended');
  });
});
