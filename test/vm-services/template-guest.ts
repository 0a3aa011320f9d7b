/** Templates and their guest, played by a test. */
import {PassThrough, Writable} from 'node:stream';
import type {ExecRequest, ExitStatus, Guest, Session} from '../../src/guest/guest.js';
import type {Template, TemplateSpec, Templates} from '../../src/launcher/launcher.js';
import type {GuestImage} from '../../src/model/guest-image.js';

export const someImage = (change: Partial<GuestImage> = {}): GuestImage => ({
  digest: `sha256:${'a'.repeat(64)}`,
  references: ['localhost/agent/python:debian-12'],
  rootfsPath: '/images/rootfs.erofs',
  sizeBytes: 1024 ** 2,
  architecture: 'x64',
  config: {env: ['PATH=/bin', 'HOME=/root'], workdir: '/app', user: 'nobody'},
  createdAt: '2026-01-01T00:00:00Z',
  ...change,
});

export const someTemplate = ({image, ...kind}: TemplateSpec): Template => ({
  ...kind,
  digest: image.digest,
  sizeBytes: 64 * 1024 ** 2,
  createdAt: '2026-01-02T00:00:00Z',
});

const ended: ExitStatus = {
  code: 0,
  signal: null,
  oom: false,
  cpuMs: 1,
  maxRssKib: 1,
  elapsedMs: 1,
  limits: {processes: false, disk: false},
  hasOut: false,
  reason: null,
};

/** Each command ends at once, as `answer` says, after it has printed more than anybody wants to read. */
export const playGuest = (answer: (request: ExecRequest) => Partial<ExitStatus>) => {
  const requests: ExecRequest[] = [];
  const exec = (request: ExecRequest): Session => {
    requests.push(request);
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    stdout.end(Buffer.alloc(1024 ** 2));
    stderr.end('words');
    const stdin = new Writable({write: (_chunk, _encoding, done) => done()});
    const exit = (async () => ({...ended, ...answer(request)}))();
    exit.catch(() => {});
    return {id: 1, stdin, stdout, stderr, exit, kill: () => {}, resize: () => {}};
  };
  return {requests, guest: {exec} as unknown as Guest};
};

/** Keeps the templates that were made, each warmed in `guest`. */
export const playTemplates = (guest: Guest, present: Template[] = []): Templates => {
  const find = ({image, ...kind}: TemplateSpec): Template | undefined =>
    present.find(
      (each) =>
        each.digest === image.digest &&
        each.cpus === kind.cpus &&
        each.memoryMib === kind.memoryMib &&
        each.network === kind.network,
    );
  return {
    list: async () => [...present],
    has: async (spec) => find(spec) !== undefined,
    make: async (spec, {warmUp}) => {
      const found = find(spec);
      if (found) return found;
      await warmUp(guest);
      const made = someTemplate(spec);
      present.push(made);
      return made;
    },
  };
};
