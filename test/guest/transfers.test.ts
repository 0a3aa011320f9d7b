import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {describe, expect, it, onTestFinished, vi} from 'vitest';
import {decodeFields} from '../../src/guest/field-decoder.js';
import {stringField, u32Field} from '../../src/guest/field-encoder.js';
import {FrameType, INITIAL_CREDIT, Tag} from '../../src/guest/protocol.js';
import {packSource} from '../../src/guest/tar-pack.js';
import {connectFake, exited} from './fake-guest.js';

const limits = {maxBytes: 1_000_000, maxEntries: 100};
const failed = (errno: number, reason: string) => [
  exited(1),
  u32Field(Tag.ERRNO, errno),
  stringField(Tag.REASON, reason),
];

describe('put', () => {
  it('sends the archive and its end, and waits for EXIT', async () => {
    const {fake, guest} = await connectFake();
    const tar = packSource({name: 'a', content: 'content'});
    const done = guest.put('/in', tar, {...limits, user: 'nobody'});
    const opened = decodeFields((await fake.next(FrameType.PUT)).payload);
    expect(opened.string(Tag.PATH)?.toString()).toBe('/in');
    expect(opened.string(Tag.USER)?.toString()).toBe('nobody');
    let size = 0;
    while (size < 2048) size += (await fake.next(FrameType.STDIN)).payload.length;
    await fake.next(FrameType.STDIN_EOF);
    fake.exit(1, exited(0));
    await done;
    expect(size).toBe(2048);
  });

  it('tells why the guest failed, and stops reading the archive', async () => {
    const {fake, guest} = await connectFake();
    const endless = Readable.from(
      (async function* () {
        for (;;) yield Buffer.alloc(65_536);
      })(),
      {objectMode: false},
    );
    const done = guest.put('/in', endless, {...limits, user: ''});
    await fake.next(FrameType.PUT);
    fake.exit(1, ...failed(28, 'write: big.bin'));
    await expect(done).rejects.toMatchObject({
      code: 'GUEST_FAILED',
      message:
        "Copying files to '/in' in the guest failed: write: big.bin: no space left on device (ENOSPC).",
      hints: [expect.stringContaining('free space in the guest')],
    });
    expect(endless.destroyed).toBe(true);
  });

  it('fails with the error of its source, and makes the guest stop', async () => {
    const {fake, guest} = await connectFake();
    const source = new Readable({read: () => {}});
    const done = guest.put('/in', source, {...limits, user: ''});
    source.destroy(new Error('the file became shorter'));
    await expect(done).rejects.toThrow('the file became shorter');
    await fake.next(FrameType.PUT);
    await fake.next(FrameType.STDIN_EOF);
    expect((await fake.next(FrameType.SIGNAL)).payload).toEqual(Buffer.from([9, 1]));
    fake.exit(1, u32Field(Tag.SIGNAL, 9));
  });

  it('gives up a guest that takes nothing any more', async () => {
    const {fake, guest} = await connectFake({stallMs: 30});
    const source = Readable.from([Buffer.alloc(2 * INITIAL_CREDIT)], {objectMode: false});
    await expect(guest.put('/in', source, {...limits, user: ''})).rejects.toMatchObject({
      code: 'DEADLINE',
      message: expect.stringContaining("copying files to '/in' in the guest took longer than"),
      details: ['last console lines:', 'the console said this'],
    });
    expect(source.destroyed).toBe(true);
    await fake.next(FrameType.PUT);
  });

  it('gives up a guest that never says EXIT', async () => {
    const {guest} = await connectFake({stallMs: 30});
    const done = guest.put('/in', packSource({name: 'a', content: 'x'}), {...limits, user: ''});
    await expect(done).rejects.toMatchObject({code: 'DEADLINE'});
  });

  it('does not blame the guest for a slow source', async () => {
    vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']});
    onTestFinished(() => void vi.useRealTimers());
    const {fake, guest} = await connectFake({stallMs: 1000});
    const source = new Readable({read: () => {}});
    const done = guest.put('/in', source, {...limits, user: ''});
    await fake.next(FrameType.PUT);
    source.push('a first piece');
    await fake.next(FrameType.STDIN);
    vi.advanceTimersByTime(60_000);
    source.push('archive');
    source.push(null);
    await fake.next(FrameType.STDIN);
    await fake.next(FrameType.STDIN_EOF);
    fake.exit(1, exited(0));
    await done;
  });

  it('cuts off a guest that sends output for it', async () => {
    const {fake, guest} = await connectFake();
    const source = new Readable({read: () => {}});
    const done = guest.put('/in', source, {...limits, user: ''});
    fake.send({type: FrameType.STDOUT, session: 1, payload: Buffer.from('x')});
    await expect(done).rejects.toMatchObject({code: 'GUEST_PROTOCOL'});
    expect(source.destroyed).toBe(true);
  });

  it('refuses a path that is not absolute, and lets go of the archive', async () => {
    const {guest} = await connectFake();
    const source = packSource({name: 'a', content: 'x'});
    await expect(guest.put('in', source, {...limits, user: ''})).rejects.toMatchObject({code: 'USAGE'});
    expect(source.destroyed).toBe(true);
  });
});

describe('get', () => {
  it('ends with EXIT', async () => {
    const {fake, guest} = await connectFake();
    const tar = guest.get('/out', limits);
    expect(decodeFields((await fake.next(FrameType.GET)).payload).u64(Tag.MAX_BYTES)).toBe(1_000_000);
    fake.send({type: FrameType.STDOUT, session: 1, payload: Buffer.from('bytes')});
    fake.exit(1, exited(0));
    expect((await buffer(tar)).toString()).toBe('bytes');
  });

  it('breaks, rather than ends, when the guest fails', async () => {
    const {fake, guest} = await connectFake();
    const tar = guest.get('/out', limits);
    fake.send({type: FrameType.STDOUT, session: 1, payload: Buffer.from('half')});
    fake.exit(1, ...failed(27, 'tar: more than 1000000 bytes'));
    await expect(buffer(tar)).rejects.toMatchObject({
      code: 'GUEST_FAILED',
      message: expect.stringContaining('tar: more than 1000000 bytes: file too large (EFBIG)'),
    });
  });

  it('breaks when the channel ends, also when nobody reads', async () => {
    const {fake, guest} = await connectFake();
    const tar = guest.get('/out', limits);
    const unread = guest.get('/out', limits);
    fake.send({type: FrameType.STDOUT, session: 1, payload: Buffer.from('half')});
    fake.end();
    await expect(buffer(tar)).rejects.toMatchObject({code: 'GUEST_FAILED'});
    expect(unread.destroyed).toBe(true);
  });

  it('tells the guest to stop when its reader has seen enough', async () => {
    const {fake, guest} = await connectFake();
    const tar = guest.get('/out', limits);
    await fake.next(FrameType.GET);
    tar.destroy();
    expect((await fake.next(FrameType.SIGNAL)).payload).toEqual(Buffer.from([9, 1]));
    fake.send({type: FrameType.STDOUT, session: 1, payload: Buffer.alloc(INITIAL_CREDIT)});
    fake.exit(1, u32Field(Tag.SIGNAL, 9));
    guest.close();
    expect(await guest.closed).toBeUndefined();
  });

  it('gives up a guest that sends nothing, but not for a slow reader', async () => {
    const {fake, guest} = await connectFake({stallMs: 30});
    const silent = guest.get('/out', limits);
    const tar = guest.get('/out', limits);
    fake.send({type: FrameType.STDOUT, session: 2, payload: Buffer.from('bytes')});
    fake.exit(2, exited(0));
    await expect(buffer(silent)).rejects.toMatchObject({code: 'DEADLINE'});
    expect((await buffer(tar)).toString()).toBe('bytes');
  });

  it.each([
    ['errors', FrameType.STDERR, 'x'],
    ['credit', FrameType.WINDOW, '\0\x01\0\0\0'],
  ])('cuts off a guest that sends %s for it', async (_what, type, payload) => {
    const {fake, guest} = await connectFake();
    const tar = guest.get('/out', limits);
    fake.send({type, session: 1, payload: Buffer.from(payload)});
    await expect(buffer(tar)).rejects.toMatchObject({code: 'GUEST_PROTOCOL'});
  });
});
