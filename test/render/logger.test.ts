import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import type {LogEvent} from '../../src/render/log-event.js';
import {checkLogFile} from '../../src/render/log-file.js';
import {createLogger} from '../../src/render/logger.js';
import {someStream} from './some-stream.js';

const folder = mkdtempSync(join(tmpdir(), 'log-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const event: LogEvent = {level: 'info', message: 'vm stopped', fields: {vm: 'python-1', language: null}};

describe('a logger', () => {
  it.each([
    ['auto', true, true],
    ['auto', false, false],
    ['json', true, false],
    ['pretty', false, true],
  ] as const)('with format %s and a terminal: %s, is for people: %s', (format, isTTY, isPretty) => {
    const stream = someStream(isTTY);
    const logger = createLogger({format, level: 'info', file: null});
    logger.log(stream, event);
    expect(logger.isPretty(stream)).toBe(isPretty);
    expect(stream.text().startsWith('{')).toBe(!isPretty);
    expect(stream.text()).toMatch(/\n$/);
  });

  it('leaves out what is less important than asked for', () => {
    const stream = someStream();
    const logger = createLogger({format: 'json', level: 'warn', file: null});
    logger.log(stream, event);
    expect(stream.text()).toBe('');
    logger.log(stream, {...event, level: 'error'});
    expect(stream.text()).not.toBe('');
  });

  it('mirrors JSON to a file of its owner, whatever the stream gets', () => {
    const file = join(folder, 'new.log');
    checkLogFile(file);
    const logger = createLogger({format: 'pretty', level: 'info', file});
    logger.log(someStream(), event);
    logger.keep({...event, level: 'error'});
    logger.keep({...event, level: 'debug'});
    const levels = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).level);
    expect(levels).toEqual(['info', 'error']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('a log file', () => {
  it.each([
    ['in a missing folder', join(folder, 'missing', 'x.log')],
    ['that is a folder', folder],
  ])('%s is refused', (_, path) => {
    expect(() => checkLogFile(path)).toThrow(expect.objectContaining({code: 'USAGE'}));
  });
});
