import {describe, expect, it} from 'vitest';
import {AgentError} from '../../src/model/errors.js';
import {errorEvent, toPrettyError} from '../../src/render/error.js';
import {toJsonLine} from '../../src/render/log-event.js';
import {printable} from '../../src/render/printable.js';
import {renderTable} from '../../src/render/table.js';
import {someStream} from './some-stream.js';

const hostileText = '\u001b[2J\u0007\u009b31m\u202e';

describe('an error', () => {
  const error = new AgentError('BOOT_FAILED', "cannot boot 'x'", {details: ['no kvm'], hints: ['use qemu']});

  it('is shown to people with an arrow a line: what was seen, then what to do', () => {
    expect(toPrettyError(error, someStream())).toBe("error: cannot boot 'x'\n  → no kvm\n  → use qemu\n");
  });

  it('is one JSON line for scripts', () => {
    expect(JSON.parse(toJsonLine(errorEvent(error), new Date(0)))).toEqual({
      level: 'error',
      message: "cannot boot 'x'",
      time: '1970-01-01T00:00:00.000Z',
      code: 'BOOT_FAILED',
      hint: 'use qemu',
      details: ['no kvm'],
    });
  });

  it('never passes on what a guest means for the terminal', () => {
    const hostile = new AgentError('GUEST_FAILED', hostileText, {
      details: [hostileText, 'a\rb\nc'],
      hints: [hostileText],
    });
    const text = toPrettyError(hostile, someStream());
    expect(text.split('\n')).toHaveLength(5);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('shows the last of many lines', () => {
    const details = Array.from({length: 100}, (_, n) => `line ${n}`);
    const text = toPrettyError(new AgentError('BOOT_FAILED', 'x', {details}), someStream());
    expect(text).toContain('line 99');
    expect(text.split('\n').length).toBeLessThan(30);
  });
});

describe('text that is safe to show', () => {
  it.each([
    ['plain äöü 漢字 😀', 'plain äöü 漢字 😀'],
    ['\u001b[31m', '\\u001b[31m'],
    ['a\nb\tc\r', 'a\\u000ab\\u0009c\\u000d'],
    ['\u009b0m\u007f', '\\u009b0m\\u007f'],
    ['right\u202eleft', 'right\\u202eleft'],
  ])('%j', (text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});

describe('a table', () => {
  it('has aligned columns, no lines and no blanks at the end', () => {
    const rows = [
      ['python-1', 'ready'],
      ['x', 'a long one'],
    ];
    expect(renderTable(someStream(), ['ID', 'Status'], rows)).toBe(
      'ID        Status\npython-1  ready\nx         a long one\n',
    );
  });

  it('is its head alone where there is nothing', () => {
    expect(renderTable(someStream(), ['ID', 'Status'], [])).toBe('ID  Status\n');
  });

  it('keeps one row on one line', () => {
    expect(renderTable(someStream(), ['ID'], [['a\nb\u001b[2J']])).toBe('ID\na\\u000ab\\u001b[2J\n');
  });
});
