import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {memorySink, type Sink} from '../../src/model/sink.js';
import {consoleSink} from '../../src/render/console-sink.js';
import {openLog} from '../../src/vm/log-follow.js';
import {pruneRuns} from '../../src/vm/log-pruning.js';
import {readRuns} from '../../src/vm/log-runs.js';
import {openRunFiles} from '../../src/vm/run-files.js';
import {someReport} from '../render/some-report.js';
import {someRecord} from '../support/some-records.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-logs-'));
  mkdirSync(join(folder, 'runs'));
});
afterEach(() => rmSync(folder, {recursive: true}));

const runs = () => join(folder, 'runs');
const sink = () => memorySink(10_000_000);
const self = {pid: 7, startedAt: 'then'};
const isSelf = ({pid, startedAt}: typeof self): boolean => pid === 7 && startedAt === 'then';

const start = (runId: string, at = '2026-01-31T12:00:00.000Z') =>
  openRunFiles(folder, {
    record: someRecord(),
    isAlive: isSelf,
    runId,
    request: {
      payload: {
        program: {kind: 'command', text: 'echo hi'},
        language: 'python',
        files: [],
        made: [],
        argv: null,
      },
      env: ['SECRET=value'],
      timeoutMs: 1000,
      maxOutputBytes: 1000,
    },
    process: self,
    now: () => new Date(at),
  });

const makeRun = async (id: string, at: string, bytes = 0): Promise<void> => {
  const files = await start(id, at);
  await files.close();
  truncateSync(files.stdoutPath, bytes);
};

describe('the receipt of a run', () => {
  it('is there from its beginning, and says how it ended', async () => {
    const files = await start('00000001');
    expect(await readRuns(runs(), isSelf)).toMatchObject([
      {id: '00000001', status: 'running', program: 'echo hi', exitCode: null, endedAt: null},
    ]);
    expect(await readRuns(runs(), () => false)).toMatchObject([{status: 'interrupted'}]);
    await files.stdout.write(Buffer.from('hello'));
    await files.close();
    expect(await readRuns(runs(), () => false)).toMatchObject([
      {status: 'ended', exitCode: null, endedAt: '2026-01-31T12:00:00.000Z', bytes: {stdout: 5, stderr: 0}},
    ]);
    await files.finish(someReport({exitCode: 3, runId: '00000001'}));
    expect(await readRuns(runs(), () => false)).toMatchObject([{status: 'ended', exitCode: 3}]);
    expect(readdirSync(join(runs(), '00000001')).sort()).toEqual(['run.json', 'stderr.log', 'stdout.log']);
    expect(readFileSync(join(runs(), '00000001/run.json'), 'utf8')).not.toContain('value');
  });

  it('is not written where the VM has been cleaned', async () => {
    const files = await start('00000001');
    rmSync(runs(), {recursive: true});
    await files.close();
    await files.finish(someReport({exitCode: 0}));
    expect(existsSync(runs())).toBe(false);
    await expect(start('00000002')).rejects.toMatchObject({code: 'ENOENT'});
  });

  it('may be damaged, or missing, and hides no other', async () => {
    await makeRun('00000001', '2026-01-31T12:00:00.000Z');
    await makeRun('00000002', '2026-01-31T11:00:00.000Z');
    writeFileSync(join(runs(), '00000002/run.json'), '{"status": "ru');
    mkdirSync(join(runs(), '00000003'));
    mkdirSync(join(runs(), 'other'));
    writeFileSync(join(runs(), '00000004'), '');
    const found = await readRuns(runs(), isSelf);
    expect(found.map(({id, status}) => [id, status])).toEqual(
      expect.arrayContaining([
        ['00000001', 'ended'],
        ['00000002', 'interrupted'],
        ['00000003', 'interrupted'],
      ]),
    );
    expect(found[0]?.id).toBe('00000001');
  });
});

describe('runs that pile up', () => {
  const at = (minute: number): string => `2026-01-31T12:${String(minute).padStart(2, '0')}:00.000Z`;
  const left = async (): Promise<string[]> => (await readRuns(runs(), isSelf)).map(({id}) => id);

  it('go, the oldest first, but for those that go on', async () => {
    await start('0000000g', at(0));
    for (let n = 1; n <= 5; n += 1) await makeRun(`0000000${n}`, at(n));
    await pruneRuns(runs(), isSelf, {most: 3, bytes: 1000});
    expect(await left()).toEqual(['0000000g', '00000003', '00000004', '00000005']);
  });

  it('go when they are too large together, but for the newest', async () => {
    await makeRun('00000001', at(1), 10);
    await makeRun('00000002', at(2), 500);
    await makeRun('00000003', at(3), 600);
    await pruneRuns(runs(), () => false, {most: 10, bytes: 1000});
    expect(await left()).toEqual(['00000003']);
    truncateSync(join(runs(), '00000003/stdout.log'), 5000);
    await pruneRuns(runs(), () => false, {most: 10, bytes: 1000});
    expect(await left()).toEqual(['00000003']);
  });

  it('go when one ends, if that is large or there are a few too many', async () => {
    for (let n = 0; n < 109; n += 1) {
      mkdirSync(join(runs(), String(n).padStart(8, '0')));
      const receipt = {status: 'ended', startedAt: at(n % 60), endedAt: at(n % 60)};
      writeFileSync(join(runs(), String(n).padStart(8, '0'), 'run.json'), JSON.stringify(receipt));
    }
    await makeRun('yyyyyyyy', '2026-02-01T00:00:00.000Z');
    expect(await left()).toHaveLength(110);
    await makeRun('zzzzzzzz', '2026-02-01T00:00:01.000Z');
    expect(await left()).toHaveLength(100);
    expect((await left()).slice(-2)).toEqual(['yyyyyyyy', 'zzzzzzzz']);
    for (const id of ['aaaaaaaa', 'bbbbbbbb']) {
      const files = await start(id, '2026-02-02T00:00:00.000Z');
      await files.stdout.write(Buffer.alloc(id === 'aaaaaaaa' ? 1 : 1024 ** 2 + 1));
      await files.close();
      expect(await left()).toHaveLength(id === 'aaaaaaaa' ? 101 : 100);
    }
  });
});

describe('a log that is read', () => {
  const path = () => join(folder, 'log');
  const read = async (tail: number | null): Promise<string> => {
    const output = sink();
    const log = await openLog(path(), output, tail);
    await log.drain();
    await log.close();
    return output.content().toString();
  };

  it.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\nc\n', 0, ''],
    ['a\nb\n', 9, 'a\nb\n'],
    ['\n\n\n', 2, '\n\n'],
    ['', 1, ''],
    ['a\nb\n', null, 'a\nb\n'],
  ])('of %j gives for its last %j lines %j', async (content, tail, expected) => {
    writeFileSync(path(), content);
    expect(await read(tail)).toBe(expected);
  });

  it('is read in pieces, however long it is', async () => {
    const lines = Array.from({length: 50_000}, (_, n) => `line ${n}\n`);
    writeFileSync(path(), lines.join(''));
    expect(await read(null)).toBe(lines.join(''));
    expect(await read(30_000)).toBe(lines.slice(20_000).join(''));
  });

  it('goes on where it has grown, and where its older half was dropped', async () => {
    writeFileSync(path(), '12345678');
    const output = sink();
    const log = await openLog(path(), output, null);
    await log.drain();
    appendFileSync(path(), '9');
    await log.drain();
    writeFileSync(path(), '6789'); // the newer half of nine is four
    appendFileSync(path(), 'new');
    await log.drain();
    await log.close();
    expect(output.content().toString()).toBe('123456789new');
  });

  it('is empty where there is none', async () => {
    expect(await read(null)).toBe('');
  });
});

it('the console comes without what a terminal would obey', async () => {
  const output = sink();
  const clean: Sink = consoleSink(output);
  const bytes = Buffer.from('boot\r\n\u001b[31mred\u001b]0;title\u0007\tta\u0000b é\r\nhalf');
  for (const byte of bytes) await clean.write(Buffer.from([byte]));
  await clean.close();
  expect(output.content().toString()).toBe(
    'boot\n\\u001b[31mred\\u001b]0;title\\u0007\tta\\u0000b é\nhalf\n',
  );
});
