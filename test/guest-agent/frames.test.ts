import {readFileSync} from 'node:fs';
import {release} from 'node:os';
import {expect, test} from 'vitest';
import {eventually} from './eventually.ts';
import {refusal, withAgent} from './stdio-agent.ts';
import {encodeFields, encodeFrame, Tag, Type, terminalSize, u32, u64} from './wire.ts';

const argv = encodeFields([[Tag.arg, 'cat']]);

test('says HELLO with its version, kernel, machine, memory and phases', () =>
  withAgent(async ({peer}) => {
    const hello = await peer.hello;
    expect(hello.get(Tag.version)?.[0]?.readUInt32LE()).toBe(1);
    expect(hello.get(Tag.kernel)?.[0]?.toString()).toBe(release());
    expect(hello.get(Tag.machine)?.[0]?.toString()).toMatch(/^(x86_64|aarch64)$/);
    expect(hello.get(Tag.memory)?.[0]?.readBigUInt64LE()).toBeGreaterThan(0n);
    expect(hello.get(Tag.phase)?.at(-1)?.subarray(8).toString()).toBe('ready');
  }));

test('answers PING with its bytes, and SYNC when it is done', () =>
  withAgent(async ({peer}) => {
    await peer.ping();
    const done = peer.next(Type.sync);
    await peer.send(Type.sync, 0, encodeFields([[Tag.entropy, Buffer.alloc(32, 7)]]));
    expect((await done).payload).toHaveLength(0);
  }));

test('reads frames that arrive byte by byte, and many that arrive at once', () =>
  withAgent(async ({peer}) => {
    const pong = peer.next(Type.pong);
    for (const byte of encodeFrame(Type.ping, 0, Buffer.from('slowslow'))) {
      await peer.sendRaw(Buffer.of(byte));
    }
    expect((await pong).payload.toString()).toBe('slowslow');
    const count = 20_000;
    const pongs = Array.from({length: count}, () => peer.next(Type.pong));
    const pings = Array.from({length: count}, (_, i) => encodeFrame(Type.ping, 0, u64(BigInt(i))));
    await peer.sendRaw(Buffer.concat(pings));
    const values = (await Promise.all(pongs)).map(({payload}) => Number(payload.readBigUInt64LE()));
    expect(values).toEqual(Array.from({length: count}, (_, i) => i));
  }));

test('skips unknown fields', () =>
  withAgent(async ({peer}) => {
    const session = peer.exec(
      ['echo', 'there'],
      [
        [200, 'what'],
        [255, Buffer.alloc(70_000)],
      ],
    );
    expect((await session.exit).code).toBe(0);
    expect(session.stdout).toBe('there\n');
  }));

test('drops frames of a session that has ended', () =>
  withAgent(async ({peer}) => {
    const session = peer.exec(['true']);
    await session.exit;
    await peer.send(Type.stdin, session.id, Buffer.alloc(100_000));
    await peer.send(Type.stdinEof, session.id);
    await peer.send(Type.signal, session.id, Buffer.of(9, 1));
    await peer.send(Type.window, session.id, Buffer.concat([Buffer.of(1), u32(1)]));
    await peer.ping();
  }));

test('ends when the host closes the channel, and leaves no process', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('sleep 1000 & echo $!; wait');
    while (session.stdout === '') await peer.ping();
    const pid = Number(session.stdout);
    peer.close();
    await peer.closed;
    await eventually(() => alive(pid)).toBe(false);
  }));

/** A zombie is dead: who reaps it is the business of the machine that the test runs on. */
const alive = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const raw: [string, Buffer, RegExp][] = [
  ['a length of 0', u32(0), /frame of 0 bytes/],
  ['a length of 4', Buffer.concat([u32(4), Buffer.alloc(4)]), /frame of 4 bytes/],
  ['a length of 1048577', u32(1_048_577), /frame of 1048577 bytes/],
  ['the largest length', u32(0xffff_ffff), /frame of 4294967295 bytes/],
];

for (const [what, bytes, message] of raw) {
  test(`refuses ${what}`, async () => {
    expect(await refusal(({peer}) => peer.sendRaw(bytes))).toMatch(message);
  });
}

const frames: [string, [number, number, Uint8Array?][], RegExp][] = [
  ['type 0', [[0, 0]], /type 0 is unknown/],
  ['type 20', [[20, 0]], /type 20 is unknown/],
  ['RESIZE for a session never opened', [[Type.resize, 1, Buffer.alloc(4)]], /never opened/],
  [
    'RESIZE of 3 bytes',
    [
      [Type.exec, 1, argv],
      [Type.resize, 1, Buffer.alloc(3)],
    ],
    /RESIZE of 3 bytes/,
  ],
  [
    'TERMINAL of 8 bytes',
    [
      [
        Type.exec,
        1,
        encodeFields([
          [Tag.arg, 'a'],
          [Tag.terminal, Buffer.alloc(8)],
        ]),
      ],
    ],
    /TERMINAL of 8 bytes/,
  ],
  [
    'two TERMINALs',
    [
      [
        Type.exec,
        1,
        encodeFields([
          [Tag.arg, 'a'],
          [Tag.terminal, terminalSize(24, 80)],
          [Tag.terminal, terminalSize(24, 80)],
        ]),
      ],
    ],
    /comes twice/,
  ],
  ['STDOUT from the host', [[Type.stdout, 1]], /type 5/],
  ['HELLO from the host', [[Type.hello, 0]], /type 1/],
  ['a PING of 7 bytes', [[Type.ping, 0, Buffer.alloc(7)]], /PING of 7 bytes/],
  ['a PING in a session', [[Type.ping, 3, Buffer.alloc(8)]], /for session 3/],
  ['session 0 for EXEC', [[Type.exec, 0, argv]], /session 0/],
  [
    'a session number used twice',
    [
      [Type.exec, 1, argv],
      [Type.exec, 1, argv],
    ],
    /session 1 opened after 1/,
  ],
  ['STDIN for a session never opened', [[Type.stdin, 5, Buffer.alloc(1)]], /never opened/],
  [
    'STDIN after STDIN_EOF',
    [
      [
        Type.exec,
        1,
        encodeFields([
          [Tag.arg, 'sleep'],
          [Tag.arg, '9'],
        ]),
      ],
      [Type.stdinEof, 1],
      [Type.stdin, 1, Buffer.alloc(1)],
    ],
    /after its STDIN_EOF/,
  ],
  [
    'STDIN beyond the credit',
    [
      [
        Type.exec,
        1,
        encodeFields([
          [Tag.arg, 'sleep'],
          [Tag.arg, '9'],
        ]),
      ],
      [Type.stdin, 1, Buffer.alloc(262_145)],
    ],
    /beyond its credit/,
  ],
  [
    'STDIN for a GET',
    [
      [Type.get, 1, encodeFields([[Tag.path, '/']])],
      [Type.stdin, 1, Buffer.alloc(1)],
    ],
    /a GET/,
  ],
  [
    'SIGNAL of 1 byte',
    [
      [Type.exec, 1, argv],
      [Type.signal, 1, Buffer.of(9)],
    ],
    /SIGNAL of 1 bytes/,
  ],
  [
    'signal 0',
    [
      [Type.exec, 1, argv],
      [Type.signal, 1, Buffer.of(0, 0)],
    ],
    /SIGNAL 0/,
  ],
  [
    'signal 65',
    [
      [Type.exec, 1, argv],
      [Type.signal, 1, Buffer.of(65, 0)],
    ],
    /SIGNAL 65/,
  ],
  [
    'scope 2',
    [
      [Type.exec, 1, argv],
      [Type.signal, 1, Buffer.of(9, 2)],
    ],
    /scope 2/,
  ],
  [
    'WINDOW for stdin',
    [
      [Type.exec, 1, argv],
      [Type.window, 1, Buffer.alloc(5)],
    ],
    /WINDOW for stream 0/,
  ],
  [
    'WINDOW beyond 32 bits',
    [
      [Type.exec, 1, argv],
      [Type.window, 1, Buffer.of(1, 255, 255, 255, 255)],
    ],
    /beyond 32 bits/,
  ],
  ['EXEC without ARG', [[Type.exec, 1, encodeFields([[Tag.cwd, '/']])]], /no ARG/],
  ['EXEC with a cut field', [[Type.exec, 1, argv.subarray(0, 6)]], /field is cut/],
  ['a NUL in ARG', [[Type.exec, 1, encodeFields([[Tag.arg, 'a\0b']])]], /holds a NUL/],
  [
    'ENV without =',
    [
      [
        Type.exec,
        1,
        encodeFields([
          [Tag.arg, 'a'],
          [Tag.env, 'b'],
        ]),
      ],
    ],
    /ENV without/,
  ],
  [
    'a relative CWD',
    [
      [
        Type.exec,
        1,
        encodeFields([
          [Tag.arg, 'a'],
          [Tag.cwd, 'b'],
        ]),
      ],
    ],
    /CWD is not/,
  ],
  [
    'two CWDs',
    [
      [
        Type.exec,
        1,
        encodeFields([
          [Tag.arg, 'a'],
          [Tag.cwd, '/'],
          [Tag.cwd, '/'],
        ]),
      ],
    ],
    /comes twice/,
  ],
  ['GET without PATH', [[Type.get, 1]], /no absolute PATH/],
  ['MAX_BYTES of 4 bytes', [[Type.get, 1, encodeFields([[Tag.maxBytes, {u32: 1}]])]], /of 4 bytes/],
  ['ENTROPY of 31 bytes', [[Type.sync, 0, encodeFields([[Tag.entropy, Buffer.alloc(31)]])]], /ENTROPY/],
  ['GRACE of 8 bytes', [[Type.shutdown, 0, encodeFields([[Tag.grace, {u64: 1n}]])]], /GRACE/],
];

for (const [what, sent, message] of frames) {
  test(`refuses ${what}`, async () => {
    const bytes = Buffer.concat(sent.map(([type, session, payload]) => encodeFrame(type, session, payload)));
    expect(await refusal(({peer}) => peer.sendRaw(bytes))).toMatch(message);
  });
}
