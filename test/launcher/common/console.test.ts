import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {PassThrough, Readable} from 'node:stream';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {toLines} from '../../../src/guest/console-lines.js';
import {openBoundedLog} from '../../../src/launcher/common/bounded-log.js';
import {keepConsole} from '../../../src/launcher/common/console.js';
import {createTail} from '../../../src/model/tail.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-console-'));
});
afterEach(() => {
  rmSync(folder, {recursive: true});
});

describe('keepConsole', () => {
  it("shows the console's last lines, then the VMM's own", async () => {
    const {lastLines, finished} = keepConsole({
      console: Readable.from([Buffer.from('boot\r\n\r\npan'), Buffer.from('ic\r\n')]),
      output: Readable.from([Buffer.from('qemu: gone\n')]),
      logPath: null,
    });
    await finished;
    expect(lastLines()).toEqual(['boot', 'panic', 'qemu: gone']);
  });

  it('shows why a kernel panicked instead of its registers', async () => {
    const registers = 'R10: 0000\n'.repeat(40);
    const panic = `I/O error\nKernel panic - not syncing: EXT4-fs\n${registers}`;
    const {lastLines, finished} = keepConsole({
      console: Readable.from([Buffer.from(panic)]),
      output: Readable.from([]),
      logPath: null,
    });
    await finished;
    expect(lastLines()).toEqual(['I/O error', 'Kernel panic - not syncing: EXT4-fs']);
  });

  it('drains a flood into bounded memory and a bounded file', async () => {
    const logPath = join(folder, 'console.log');
    const chunk = Buffer.alloc(64 * 1024, 'flood of the guest\n');
    const console = Readable.from(Array.from({length: 100}, () => chunk));
    const {lastLines, finished} = keepConsole({console, output: Readable.from([]), logPath});
    await finished;
    expect(statSync(logPath).size).toBeLessThanOrEqual(1024 * 1024);
    expect(statSync(logPath).mode & 0o777).toBe(0o600);
    expect(lastLines()).toHaveLength(20);
  });

  it('goes on without a file that cannot be written', async () => {
    const logPath = join(folder, 'no', 'such', 'folder');
    const {lastLines, finished} = keepConsole({
      console: Readable.from(['x\n']),
      output: Readable.from([]),
      logPath,
    });
    await finished;
    expect(lastLines()).toEqual(['x']);
  });

  it('ends when a stream breaks', async () => {
    const console = new PassThrough();
    const {lastLines, finished} = keepConsole({console, output: Readable.from([]), logPath: null});
    console.write('last words\n');
    console.destroy(new Error('ECONNRESET'));
    await finished;
    expect(lastLines().length).toBeLessThanOrEqual(1);
  });
});

describe('toLines', () => {
  it.each([
    ['colours', '\x1b[1;31mred\x1b[0m', ['red']],
    ['titles', '\x1b]0;title\x07text', ['text']],
    ['a bare carriage return', 'over\rwritten', ['over', 'written']],
    ['control characters', 'a\x00b\x08c\x9bd', ['a?b?c?d']],
    ['escapes that are cut off', 'end\x1b', ['end?']],
    ['bytes that are no text', Buffer.from([0x41, 0xff, 0x42]).toString('utf8'), ['A\ufffdB']],
  ])('makes %s harmless', (_name, text, lines) => {
    expect(toLines(Buffer.from(text))).toEqual(lines);
  });

  it('bounds the length of lines', () => {
    const lines = toLines(Buffer.from(`${'x'.repeat(500)}\n`.repeat(50)));
    expect(Math.max(...lines.map(({length}) => length))).toBeLessThanOrEqual(200);
  });
});

describe('createTail', () => {
  it.each([
    [['abc']],
    [['ab', 'cdef', 'gh']],
    [['abcdefghij']],
    [['abcdefgh', 'i', 'jklmnop', 'q']],
    [['', 'abcde']],
  ])('keeps the last bytes of %j', (chunks) => {
    const tail = createTail(5);
    for (const chunk of chunks) tail.push(Buffer.from(chunk));
    expect(tail.bytes().toString()).toBe(chunks.join('').slice(-5));
  });
});

describe('openBoundedLog', () => {
  it('keeps the last, over several openings', async () => {
    const path = join(folder, 'log');
    for (const round of ['a', 'b', 'c', 'd']) {
      const log = await openBoundedLog(path, 100);
      for (let count = 0; count < 4; count++)
        await log.append(Buffer.from(`${round}${count}`.padEnd(20, '.')));
      await log.close();
    }
    const text = readFileSync(path, 'utf8');
    expect(text.length).toBeLessThanOrEqual(100);
    expect(text).toMatch(/d0\.+d1\.+d2\.+d3\.+$/);
  });

  it('takes chunks of any size', async () => {
    const path = join(folder, 'log');
    const log = await openBoundedLog(path, 100);
    await log.append(Buffer.from('x'.repeat(1000)));
    await log.append(Buffer.from('end'));
    await log.close();
    expect(readFileSync(path, 'utf8')).toMatch(/^x{50}end$/);
  });
});
