import {spawn} from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {buffer} from 'node:stream/consumers';
import {setTimeout as sleep} from 'node:timers/promises';
import {pack} from 'tar-stream';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {agentProgram, startAgent} from './stdio-agent.ts';
import {encodeFields, encodeFrame, type Frame, FrameReader, Tag, Type, u32} from './wire.ts';

/** More, and another seed, for a longer run; the seed of a failure is in its message. */
const cases = Number(process.env.AGENT_FUZZ_CASES ?? 100);
const firstSeed = Number(process.env.AGENT_FUZZ_SEED ?? 1);
const atOnce = 4;

/** Nobody, where we are root: a damaged path must not lead anywhere. */
const agentUid = 65_534;

/** A sanitizer's verdict, told apart from an exit of the agent's own. */
const sanitized = 66;
const environment = {
  ASAN_OPTIONS: `exitcode=${sanitized}:detect_leaks=0`,
  UBSAN_OPTIONS: `halt_on_error=1:exitcode=${sanitized}`,
};

let folder: string;
let before: ReadonlySet<string>;
let program: string;
let archive: Buffer;

beforeAll(async () => {
  before = new Set(temporaryNames());
  folder = mkdtempSync(join(tmpdir(), 'guest-fuzz-'));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'files'));
  chmodSync(join(folder, 'files'), 0o777);
  writeFileSync(join(folder, 'files/one'), 'one');
  program = join(folder, 'agent');
  copyFileSync(agentProgram(), program);
  chmodSync(program, 0o755);
  const stream = pack();
  stream.entry({name: 'plain'}, 'plain');
  stream.entry({name: `${'long'.repeat(40)}/ü`}, 'long');
  stream.entry({name: 'directory/', type: 'directory'});
  stream.entry({name: 'link', type: 'symlink', linkname: 'plain'});
  stream.finalize();
  archive = await buffer(stream);
});

afterAll(() => {
  rmSync(folder, {recursive: true, force: true});
  for (const name of temporaryNames()) if (!before.has(name)) removeStray(name);
});

/** In base64: a name may be any bytes. */
const temporaryNames = (): string[] =>
  readdirSync(tmpdir(), {encoding: 'buffer'}).map((name) => name.toString('base64'));

/** A damaged path leads a transfer beside its folder; only what the agent's own user has made there goes. */
const removeStray = (name: string): void => {
  const path = Buffer.concat([Buffer.from(`${tmpdir()}/`), Buffer.from(name, 'base64')]);
  if (lstatSync(path).uid === agentUid) rmSync(path, {recursive: true, force: true});
};

type Random = (below: number) => number;

/** Mulberry32: small, seeded, and good enough to hit every byte. */
const makeRandom = (seed: number): Random => {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
};

const randomBytes = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({length}, () => random(256)));

const interesting = [0, 1, 4, 5, 9, 255, 65_536, 262_144, 1_048_576, 0x7fff_ffff, 0xffff_ffff];

const mutations: ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  (bytes, random) => {
    const at = random(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    return bytes;
  },
  (bytes, random) => {
    bytes.writeUInt32LE(interesting[random(interesting.length)] ?? 0, random(Math.max(1, bytes.length - 4)));
    return bytes;
  },
  (bytes, random) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(20))]);
  },
  (bytes, random) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), randomBytes(random, 1 + random(20)), bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at + random(64)), bytes.subarray(at)]);
  },
];

const mutate = (original: Buffer, random: Random): Buffer => {
  let bytes: Buffer = Buffer.from(original);
  for (let i = random(4); i >= 0 && bytes.length > 8; i--) {
    bytes = mutations[random(mutations.length)]?.(bytes, random) ?? bytes;
  }
  return bytes;
};

const validFrames = (random: Random): Buffer[] => {
  const exec = (id: number, ...argv: string[]) =>
    encodeFrame(
      Type.exec,
      id,
      encodeFields([...argv.map((arg) => [Tag.arg, arg] as const), [Tag.env, 'A=b']]),
    );
  const files = join(folder, 'files');
  const all = [
    exec(1, 'true'),
    exec(2, 'cat'),
    encodeFrame(Type.stdin, 2, randomBytes(random, random(300))),
    encodeFrame(Type.window, 2, Buffer.concat([Buffer.of(1), u32(random(1e6))])),
    encodeFrame(Type.stdinEof, 2),
    encodeFrame(Type.ping, 0, Buffer.alloc(8)),
    encodeFrame(
      Type.sync,
      0,
      encodeFields([
        [Tag.entropy, randomBytes(random, 40)],
        [Tag.machineId, randomBytes(random, 16)],
      ]),
    ),
    encodeFrame(
      Type.get,
      3,
      encodeFields([
        [Tag.path, files],
        [Tag.maxBytes, {u64: 99_999n}],
      ]),
    ),
    encodeFrame(
      Type.put,
      4,
      encodeFields([
        [Tag.path, files],
        [Tag.maxEntries, {u32: 99}],
      ]),
    ),
    encodeFrame(Type.stdin, 4, archive),
    encodeFrame(Type.stdinEof, 4),
    exec(5, 'sleep', '0.01'),
    encodeFrame(Type.signal, 5, Buffer.of(15, random(2))),
    encodeFrame(Type.shutdown, 0, encodeFields([[Tag.grace, {u32: 50}]])),
  ];
  return all.slice(0, 2 + random(all.length - 1));
};

const makeInput = (seed: number): Buffer => {
  const random = makeRandom(seed);
  if (random(10) === 0) return randomBytes(random, 1 + random(2000));
  const frames = validFrames(random);
  /* One frame with its length kept right, so that the mutation is not only of the framing. */
  const index = random(frames.length);
  const frame = frames[index] ?? Buffer.alloc(9);
  if (random(2) === 0 && frame.length > 18) {
    const payload = mutate(frame.subarray(9), random);
    frames[index] = encodeFrame(frame[4] ?? 0, frame.readUInt32LE(5), payload);
    return Buffer.concat(frames);
  }
  return mutate(Buffer.concat(frames), random);
};

const reasonOf = (frame: Frame): string => (frame.type === Type.exit ? frame.payload.toString('latin1') : '');

const runCase = async (seed: number): Promise<void> => {
  /* As nobody: a mutated frame may ask for anything. */
  const identity = process.getuid?.() === 0 ? {uid: agentUid, gid: agentUid} : {};
  const child = spawn(program, ['--stdio'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: environment,
    ...identity,
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const reader = new FrameReader();
  const frames: Frame[] = [];
  const greeted = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      frames.push(...reader.push(chunk));
      resolve();
    });
  });
  child.stdin.on('error', () => {});
  await greeted;
  child.stdin.write(makeInput(seed));
  await Promise.race([ended, sleep(60)]);
  child.stdin.end();
  const end = await Promise.race([ended, sleep(15_000, 'hung', {ref: false})]);
  child.kill('SIGKILL');
  expect([0, 1], `seed ${seed} ended with ${end}`).toContain(end);
  const crashed = frames.some((frame) =>
    /transfer: (failed|ended by signal (4|6|7|8|11)\b)/.test(reasonOf(frame)),
  );
  expect(crashed, `seed ${seed}: a transfer crashed`).toBe(false);
};

test(
  'survives mutated and random frames',
  async () => {
    for (let seed = firstSeed; seed < firstSeed + cases; seed += atOnce) {
      await Promise.all(Array.from({length: atOnce}, (_, i) => runCase(seed + i)));
    }
  },
  60_000 + cases * 200,
);

test(
  'survives mutated archives',
  async () => {
    const agent = startAgent();
    try {
      for (let seed = firstSeed; seed < firstSeed + cases * 2; seed++) {
        const session = agent.peer.open(Type.put, [
          [Tag.path, join(folder, 'files')],
          [Tag.maxBytes, {u64: 1_000_000n}],
        ]);
        await session.end(mutate(archive, makeRandom(seed)));
        const exit = await session.exit;
        expect(exit.reason ?? '', `seed ${seed}`).not.toMatch(/^transfer:/);
        expect([0, 1], `seed ${seed}`).toContain(exit.code);
      }
      expect(agent.peer.violation).toBeUndefined();
    } finally {
      agent.process.kill('SIGKILL');
    }
  },
  60_000 + cases * 200,
);
