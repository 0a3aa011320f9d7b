import {expect, test} from 'vitest';
import {withLibkrunGuest} from './libkrun-guest.ts';
import {refusal} from './stdio-agent.ts';
import {Type} from './wire.ts';

const frames: [string, number, number, Uint8Array, RegExp][] = [
  ['SUSPEND, being no init of a VM', Type.suspend, 0, Buffer.alloc(0), /SUSPEND is not for this guest/],
  ['SUSPEND of 1 byte', Type.suspend, 0, Buffer.alloc(1), /SUSPEND of 1 bytes/],
  ['SUSPEND in a session', Type.suspend, 1, Buffer.alloc(0), /for session 1/],
  ['START where it runs', Type.start, 0, Buffer.alloc(0), /START, and the guest does not stand still/],
];

for (const [what, type, session, payload, message] of frames) {
  test(`refuses ${what}`, async () => {
    expect(await refusal(({peer}) => peer.send(type, session, payload))).toMatch(message);
  });
}

test('refuses SUSPEND in a guest of libkrun', async () => {
  let said: string | undefined;
  const refused = withLibkrunGuest({}, async ({peer, ended}) => {
    await peer.send(Type.suspend, 0);
    await ended;
    said = peer.error;
  });
  await expect(refused).rejects.toThrow('the agent ended with 1');
  expect(said).toMatch(/SUSPEND is not for this guest/);
});
