import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {FrameType} from '../../src/guest/protocol.js';
import {AgentError} from '../../src/model/errors.js';
import {LEAVE_MS, MAX_PINGS} from '../../src/monitor/client-connection.js';
import {KEPT_BYTES} from '../../src/monitor/kept-output.js';
import {
  decodeFailure,
  decodeStatus,
  encodeFailure,
  encodeStatus,
  MonitorFrame,
  monitorVersion,
} from '../../src/monitor/protocol.js';
import {GRACE_MS, KILL_MS, MAX_CLIENTS} from '../../src/monitor/relay.js';

const page = readFileSync(new URL('../../docs/monitor-protocol.md', import.meta.url), 'utf8');

/** Name and number of each row of the table of frames. */
const documented = Object.fromEntries(
  [...page.matchAll(/^\| (\d+) \| ([A-Z]+) \|/gm)].map(([, type, name]) => [name, Number(type)]),
);

const status = {
  version: monitorVersion,
  accelerator: 'tcg',
  bootMs: 1,
  isResponsive: true,
  sessions: 0,
  detached: [],
};

describe('the page and the monitor agree', () => {
  it('on frame types, which are none of the guest protocol', () => {
    expect(Object.keys(documented)).toHaveLength(4);
    expect(MonitorFrame).toEqual(documented);
    const ofGuest: readonly number[] = Object.values(FrameType);
    for (const type of Object.values(MonitorFrame)) expect(ofGuest).not.toContain(type);
  });

  it('on numbers', () => {
    expect(page).toContain(`# Monitor protocol, version ${monitorVersion}\n`);
    expect(page).toContain(`beyond the ${MAX_CLIENTS}th`);
    expect(page).toContain(`at most ${MAX_PINGS} PINGs`);
    expect(page).toContain(`last ${KEPT_BYTES} bytes`);
    expect(page).toContain(`SIGKILL after ${GRACE_MS} ms`);
    expect(page).toContain(`${KILL_MS} ms after that`);
    expect(page).toContain(`for ${LEAVE_MS} ms at most`);
  });

  it('on what STATUS and FAILURE hold', () => {
    for (const name of Object.keys(status)) expect(page).toContain(`\`${name}\``);
    for (const name of ['code', 'message', 'details', 'hints']) expect(page).toContain(`\`${name}\``);
  });
});

describe('payloads', () => {
  it('bring an error over as it was', () => {
    const error = new AgentError('GUEST_FAILED', 'It fell.', {details: ['line'], hints: ['get up']});
    expect(decodeFailure(encodeFailure(error))).toMatchObject({
      code: 'GUEST_FAILED',
      message: 'It fell.',
      details: ['line'],
      hints: ['get up'],
    });
  });

  it('bring a status over, and name the remedy for one of another version', () => {
    expect(decodeStatus(encodeStatus(status), 'x')).toEqual(status);
    const other = encodeStatus({...status, version: monitorVersion + 1});
    expect(() => decodeStatus(other, 'x')).toThrow("VM 'x' was booted by another version of this program.");
  });

  it.each(['', '{', 'null', '5', '"text"'])('refuse %j, which is no object', (text) => {
    expect(() => decodeStatus(Buffer.from(text), 'x')).toThrow('no JSON object');
    expect(() => decodeFailure(Buffer.from(text))).toThrow('no JSON object');
  });
});
