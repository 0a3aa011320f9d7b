import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import type {ExitStatus} from '../../src/guest/guest.js';
import type {Launcher, Template, Templates} from '../../src/launcher/launcher.js';
import type {GuestImage} from '../../src/model/guest-image.js';
import {languageNames, languageOf} from '../../src/model/language.js';
import {listImages} from '../../src/vm/list-images.js';
import type {VmContext} from '../../src/vm/vm-context.js';
import {type WarmOptions, warmImage} from '../../src/vm/warm-image.js';
import {playGuest, playTemplates, someImage, someTemplate} from './template-guest.js';

const folder = mkdtempSync(join(tmpdir(), 'warm-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const python = someImage();
const own = someImage({digest: `sha256:${'b'.repeat(64)}`, references: ['localhost/own:latest']});
const kind = {cpus: 1, memoryMib: 256, network: 'none'} as const;
const options = (change: Partial<WarmOptions> = {}): WarmOptions => ({
  wanted: 'python',
  launcher: 'qemu',
  ...kind,
  ...change,
});

let answer: () => Partial<ExitStatus> = () => ({});
let details: string[] = [];
let forgotten: (readonly string[])[] = [];
let images: GuestImage[] = [];
beforeEach(() => {
  answer = () => ({});
  details = [];
  forgotten = [];
  images = [python, own];
});

const contextOf = (templates: Templates | null, change: Partial<VmContext> = {}): VmContext => {
  const launcher = {
    check: async () => {},
    isProven: async () => true,
    templates: async () => templates,
    forgetImages: async ({except}: {except: readonly string[]}) => void forgotten.push(except),
  } as unknown as Launcher;
  const resolve = ({language, reference}: {language?: string; reference?: string}): string =>
    reference ?? `localhost/agent/${language}:debian-12`;
  return {
    paths: {root: folder},
    uid: process.getuid?.() ?? 0,
    signal: new AbortController().signal,
    progress: {step: () => {}, detail: (text: string) => void details.push(text)},
    templates: {isOn: true, makeLater: () => {}},
    launcher: (name: string) => (name === 'qemu' ? launcher : {templates: async () => null}),
    images: {
      canBuild: true,
      resolve,
      find: (name: string) =>
        images.find(({digest, references}) => digest === name || references.includes(name)),
      list: () => ({images: images.map((image) => ({...image, defaultFor: []})), broken: []}),
    },
    ...change,
  } as unknown as VmContext;
};

const warm = async (change: Partial<WarmOptions> = {}, present: Template[] = []) => {
  const {guest, requests} = playGuest(() => answer());
  const result = await warmImage(contextOf(playTemplates(guest, present)), options(change));
  return {...result, argv: requests.map((request) => request.argv), requests};
};

describe('warming an image', () => {
  it('runs the runtime of its language, as the image’s user, where it can leave nothing', async () => {
    const {requests, argv, wasWarm, template} = await warm();
    expect(wasWarm).toBe(false);
    expect(template).toMatchObject({...kind, digest: python.digest});
    expect(argv).toEqual(languageOf('python').warmUp);
    for (const {env, user, cwd} of requests) {
      expect({user, cwd}).toEqual({user: 'nobody', cwd: '/'});
      expect(env).toEqual(
        expect.arrayContaining(['PATH=/bin', 'HOME=/dev/null', 'PYTHONDONTWRITEBYTECODE=1']),
      );
      expect(env).not.toContain('HOME=/root');
    }
  });

  it('knows the language of an image that is named', async () => {
    expect((await warm({wanted: python.digest})).argv).toEqual(languageOf('python').warmUp);
  });

  it('runs the shell of an image of no language', async () => {
    expect((await warm({wanted: 'localhost/own:latest'})).argv).toEqual([['/bin/sh', '-c', ':']]);
  });

  it('has something to run for each language', () => {
    for (const name of languageNames) expect(languageOf(name).warmUp.length, name).toBeGreaterThan(0);
  });

  it('keeps what is there, and says so', async () => {
    const {wasWarm, argv} = await warm({}, [someTemplate({image: python, ...kind})]);
    expect({wasWarm, argv}).toEqual({wasWarm: true, argv: []});
  });

  it('makes another one for VMs of another kind', async () => {
    const {wasWarm} = await warm({memoryMib: 512}, [someTemplate({image: python, ...kind})]);
    expect(wasWarm).toBe(false);
  });

  it.each([
    ['fails', () => ({code: 3}), 'ended with 3'],
    ['is not there', () => ({code: 127, reason: 'no such file'}), 'ended with no such file'],
    ['is killed', () => ({code: null, signal: 9}), 'ended with 137'],
  ])('is no failure where the runtime %s', async (_, status, text) => {
    answer = status;
    expect((await warm()).wasWarm).toBe(false);
    expect(details).toEqual([expect.stringContaining(text)]);
  });

  it('is no failure where the guest does not take the command', async () => {
    answer = () => {
      throw new Error('refused');
    };
    expect((await warm()).wasWarm).toBe(false);
    expect(details).toEqual([expect.stringContaining('refused')]);
  });

  it('removes the template of an image that was removed meanwhile', async () => {
    answer = () => {
      images = [own];
      return {};
    };
    await expect(warm()).rejects.toMatchObject({code: 'IMAGE_NOT_FOUND'});
    expect(forgotten).toEqual([[own.digest]]);
  });

  it.each([
    ['ruby', 'agent image pull --language ruby'],
    ['docker.io/library/alpine:3', 'agent image pull docker.io/library/alpine:3'],
  ])('says how to get %s, which is not here', async (wanted, hint) => {
    await expect(warm({wanted})).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      hints: expect.arrayContaining([expect.stringContaining(hint)]),
    });
  });

  it('is refused by a launcher without templates', async () => {
    await expect(warmImage(contextOf(null), options())).rejects.toMatchObject({
      code: 'LAUNCHER_UNAVAILABLE',
      message: expect.stringContaining('qemu cannot save VMs'),
    });
  });

  it('is refused where templates are switched off', async () => {
    const context = contextOf(null, {templates: {isOn: false, makeLater: () => {}}});
    await expect(warmImage(context, options())).rejects.toMatchObject({code: 'USAGE'});
  });
});

describe('the list of images', () => {
  it('has the templates of each', async () => {
    const present = [someTemplate({image: python, ...kind}), someTemplate({image: python, ...kind, cpus: 2})];
    const {images: listed} = await listImages(contextOf(playTemplates(playGuest(() => ({})).guest, present)));
    expect(listed.map(({digest, templates}) => [digest, templates])).toEqual([
      [python.digest, present],
      [own.digest, []],
    ]);
  });

  it('is there where no launcher can be asked', async () => {
    const launcher = {templates: async () => Promise.reject(new Error('no QEMU'))} as unknown as Launcher;
    const {images: listed} = await listImages(contextOf(null, {launcher: () => launcher}));
    expect(listed.map(({templates}) => templates)).toEqual([[], []]);
  });
});
