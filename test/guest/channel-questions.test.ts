import {expect, it} from 'vitest';
import {FrameType} from '../../src/guest/protocol.js';
import {connectFake} from './fake-guest.js';

it('sends a machine id where it is given one', async () => {
  const {fake, guest} = await connectFake();
  const synced = guest.sync(5000, '00112233445566778899aabbccddeeff');
  const {payload} = await fake.next(FrameType.SYNC);
  expect(payload.subarray(-21).toString('hex')).toBe('421000000000112233445566778899aabbccddeeff');
  fake.send({type: FrameType.SYNC, session: 0});
  await synced;
});

it('waits until the guest stands still, whose end is no error then', async () => {
  const {fake, guest} = await connectFake();
  const still = guest.suspend(5000);
  expect((await fake.next(FrameType.SUSPEND)).payload).toHaveLength(0);
  fake.send({type: FrameType.SUSPEND, session: 0});
  await still;
  fake.end();
  await expect(guest.closed).resolves.toBeUndefined();
});
