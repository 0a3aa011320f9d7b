import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import * as protocol from '../../src/guest/protocol.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const page = read('docs/guest-protocol.md');
const header = read('guest/protocol.h');

/** The cells of the table under a heading, a row each, without the two header rows. */
const tableUnder = (heading: string): string[][] => {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

const frames = tableUnder('Frame types').map(([type, name, direction, session]) => ({
  type: Number(type),
  name: name ?? '',
  direction: direction ?? '',
  session: session ?? '',
}));
const fields = tableUnder('Fields').map(([tag, name]) => ({
  tag: Number(tag),
  name: (name ?? '').replace('*', ''),
  repeats: name?.endsWith('*') ?? false,
}));

const byName = <T>(rows: readonly T[], entry: (row: T) => [string, number]): Record<string, number> =>
  Object.fromEntries(rows.map(entry));

/** `PREFIX_NAME = number` or `#define PREFIX_NAME number` in the C header. */
const definedInC = (prefix: string): Record<string, number> =>
  Object.fromEntries(
    [...header.matchAll(new RegExp(`\\b${prefix}_([A-Z_]+)\\s*=?\\s*(\\d+)u?\\b`, 'g'))].map(
      ([, name, value]) => [name, Number(value)],
    ),
  );

describe('the page, the host and the guest agree', () => {
  it('on the tables having been found at all', () => {
    expect(frames.length).toBeGreaterThan(10);
    expect(fields.length).toBeGreaterThan(10);
  });

  it('on frame types', () => {
    const documented = byName(frames, ({name, type}) => [name, type]);
    expect(protocol.FrameType).toEqual(documented);
    expect(definedInC('TYPE')).toEqual(documented);
  });

  it('on who may send what, and where', () => {
    const fromGuest = frames.filter(({direction}) => direction !== 'host to guest');
    expect(protocol.guestChannelTypes).toEqual(
      fromGuest.filter(({session}) => session === '0').map(({type}) => type),
    );
    expect(protocol.guestSessionTypes).toEqual(
      fromGuest.filter(({session}) => session === 'open').map(({type}) => type),
    );
  });

  it('on field tags', () => {
    const documented = byName(fields, ({name, tag}) => [name, tag]);
    expect(protocol.Tag).toEqual(documented);
    expect(definedInC('TAG')).toEqual(documented);
    expect(protocol.repeatableTags).toEqual(fields.filter(({repeats}) => repeats).map(({tag}) => tag));
  });

  it('on the limits that the text names', () => {
    expect(page).toContain(`# Guest protocol, version ${protocol.protocolVersion}\n`);
    expect(page).toContain(`${protocol.MIN_LENGTH} to ${protocol.MAX_LENGTH} |`);
    expect(page).toContain(`starts with ${protocol.INITIAL_CREDIT} bytes of credit`);
    expect(page).toContain(`bytes: ${protocol.MIN_ENTROPY_BYTES} to ${protocol.MAX_ENTROPY_BYTES}`);
    expect(page).toContain(`| MACHINE_ID | SYNC | ${protocol.MACHINE_ID_BYTES} bytes`);
    expect(page).toContain(`| HOST | START | string of at most ${protocol.MAX_HOST_NAME_BYTES} bytes`);
    expect(definedInC('FRAME')).toMatchObject({
      LENGTH_BYTES: protocol.LENGTH_BYTES,
      HEAD_BYTES: protocol.LENGTH_BYTES + protocol.MIN_LENGTH,
      MIN_LENGTH: protocol.MIN_LENGTH,
      MAX_LENGTH: protocol.MAX_LENGTH,
    });
    expect(definedInC('INITIAL')).toEqual({CREDIT: protocol.INITIAL_CREDIT});
    expect(definedInC('PROTOCOL')).toEqual({VERSION: protocol.protocolVersion});
  });

  it('on the numbers of streams', () => {
    expect(page).toContain('u8 stream (0 stdin, 1 stdout, 2 stderr)');
    expect(protocol.StreamNumber).toEqual({stdin: 0, stdout: 1, stderr: 2});
    expect(definedInC('STREAM')).toEqual({STDIN: 0, STDOUT: 1, STDERR: 2});
  });
});
