import {expect, it} from 'vitest';
import {imageRowToJson, renderImageTable} from '../../src/render/image-table.js';
import {warmedEvent} from '../../src/render/template-events.js';
import {someStream} from './some-stream.js';

const image = {
  digest: `sha256:${'a'.repeat(64)}`,
  references: ['localhost/own:latest'],
  rootfsPath: null,
  sizeBytes: 3 * 1024 ** 2,
  architecture: 'x64',
  config: {env: [], workdir: '/', user: ''},
  createdAt: '2026-01-01T00:00:00Z',
  defaultFor: [],
};
const template = {
  cpus: 1,
  memoryMib: 256,
  network: 'none',
  sizeBytes: 62 * 1024 ** 2,
  createdAt: '2026-01-02T00:00:00Z',
};
const json = {
  cpus: 1,
  memory_mib: 256,
  network: 'none',
  size_bytes: 62 * 1024 ** 2,
  created_at: '2026-01-02T00:00:00Z',
};

it('the table of images says which VMs start warm, and what that takes', () => {
  const templates = [template, {...template, cpus: 2, network: 'allow_all'}];
  const table = renderImageTable(someStream(), [{...image, templates}]);
  expect(table).toContain('cpu 1, mem 256, none (62 MiB); cpu 2, mem 256, allow_all (62 MiB)');
  expect(renderImageTable(someStream(), [{...image, templates: []}])).not.toContain('cpu');
});

it('the JSON of an image has its templates', () => {
  expect(imageRowToJson({...image, templates: [template]})).toMatchObject({
    digest: image.digest,
    default_for: [],
    templates: [json],
  });
});

it.each([
  [false, 'image warmed'],
  [true, 'image already warm'],
])('the log line of a warmed image, already warm: %s', (wasWarm, message) => {
  const event = warmedEvent({image, language: null, launcher: 'qemu', template, wasWarm, durationMs: 4_321});
  expect(event).toEqual({
    level: 'info',
    message,
    fields: {
      image: 'localhost/own:latest',
      language: null,
      image_digest: image.digest,
      launcher: 'qemu',
      ...json,
      duration: '4.321s',
    },
  });
});
