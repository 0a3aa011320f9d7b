import {describe, expect, it} from 'vitest';
import {describeSetup} from '../../src/setup/describe-setup.js';
import {type SetupOptions, setUp} from '../../src/setup/set-up.js';
import {createFakeTools, type FakeMachine} from './fake-tools.js';

const options: SetupOptions = {languages: ['python'], assumeYes: true, dryRun: false, boot: true};
const everything: FakeMachine = {present: ['python', 'node', 'ruby', 'golang']};
const nothing: FakeMachine = {missing: ['qemu', 'buildah'], hasKernel: false};

describe('setUp', () => {
  it('only boots a guest where nothing is missing', async () => {
    const {tools, done} = createFakeTools(everything);
    expect(await setUp(tools, options)).toMatchObject({packages: [], kernel: 'ready'});
    expect(done).toEqual(['boot']);
  });

  it('makes everything in order on a bare machine, and nothing the second time', async () => {
    const {tools, done} = createFakeTools({...nothing, pullError: 'REGISTRY_UNREACHABLE'});
    const report = await setUp(tools, options);
    expect(done).toEqual([
      'install qemu buildah --yes',
      'kernel',
      'pull registry/python',
      'build python',
      'boot',
    ]);
    expect(report.images).toEqual([{language: 'python', reference: 'localhost/python', state: 'built'}]);
    done.length = 0;
    await setUp(tools, {...options, boot: false});
    expect(done).toEqual([]);
  });

  it('updates package lists that know no kernel', async () => {
    const {tools, done} = createFakeTools({...everything, hasKernel: false, hasLists: false});
    await setUp(tools, {...options, boot: false});
    expect(done).toEqual(['lists', 'kernel']);
  });

  it('prefers what the registry has', async () => {
    const {tools, done} = createFakeTools({});
    const {images} = await setUp(tools, {...options, boot: false});
    expect(done).toEqual(['pull registry/python']);
    expect(images[0]?.state).toBe('pulled');
  });

  it('asks a silent registry only once', async () => {
    const {tools, done} = createFakeTools({pullError: 'REGISTRY_UNREACHABLE'});
    await setUp(tools, {...options, languages: ['python', 'ruby'], boot: false});
    expect(done).toEqual(['pull registry/python', 'build python', 'build ruby']);
  });

  it('makes the image that two languages share once', async () => {
    const {tools, done} = createFakeTools({});
    await setUp(tools, {...options, languages: ['typescript', 'node'], boot: false});
    expect(done).toEqual(['pull registry/node']);
  });

  for (const code of ['DISK_FULL', 'INTERRUPTED', 'PROCESS_FAILED'] as const) {
    it(`does not build after ${code}`, async () => {
      const {tools, done} = createFakeTools({pullError: code});
      await expect(setUp(tools, options)).rejects.toMatchObject({code});
      expect(done).toEqual(['pull registry/python']);
    });
  }

  it('does not build where no image can be built', async () => {
    const {tools, done} = createFakeTools({pullError: 'REGISTRY_UNREACHABLE', canBuild: false});
    await expect(setUp(tools, options)).rejects.toMatchObject({code: 'REGISTRY_UNREACHABLE'});
    expect(done).toEqual(['pull registry/python']);
  });

  it('stops at a launcher that no kernel would mend', async () => {
    const {tools, done} = createFakeTools({launcherError: 'LAUNCHER_UNAVAILABLE'});
    await expect(setUp(tools, options)).rejects.toMatchObject({code: 'LAUNCHER_UNAVAILABLE'});
    expect(done).toEqual([]);
  });

  it('fails with the findings when no guest boots', async () => {
    const {tools} = createFakeTools({...everything, boots: false});
    await expect(setUp(tools, options)).rejects.toMatchObject({
      code: 'LAUNCHER_UNAVAILABLE',
      details: ['boot: silent for 60 s'],
      hints: ['try another kernel', 'agent doctor shows what this machine can run'],
    });
  });
});

describe('setUp where the launcher brings its own kernel', () => {
  const mac: FakeMachine = {...everything, bringsKernel: true};

  it('fetches none, and says where it comes from', async () => {
    const {tools, done} = createFakeTools({...mac, missing: ['krunvm']});
    expect(describeSetup(await setUp(tools, {...options, boot: false}))).toEqual([
      'system packages  installed for: krunvm',
      'guest kernel     comes with krunvm',
      'python image     ready: registry/python',
    ]);
    expect(done).toEqual(['install krunvm --yes']);
  });

  it('stops where the launcher misses one all the same', async () => {
    const {tools, done} = createFakeTools({...mac, hasKernel: false});
    await expect(setUp(tools, options)).rejects.toMatchObject({code: 'KERNEL_NOT_FOUND'});
    expect(done).toEqual([]);
  });

  it('finds nothing to do with --dry-run where nothing is missing', async () => {
    const {tools} = createFakeTools(mac);
    expect(describeSetup(await setUp(tools, {...options, dryRun: true})).at(-1)).toBe('Nothing to do.');
  });
});

describe('setUp --dry-run', () => {
  it('changes nothing and tells all of it', async () => {
    const {tools, done} = createFakeTools(nothing);
    const report = await setUp(tools, {...options, dryRun: true});
    expect(done).toEqual([]);
    expect(describeSetup(report)).toEqual([
      'system packages  would be installed for: qemu, buildah',
      'guest kernel     would be looked for, and fetched where there is none',
      'python image     would be pulled as registry/python, or built where no registry answers',
      '',
      'Nothing was changed. To do it: agent setup',
    ]);
  });

  it('says when there is nothing to do', async () => {
    const {tools} = createFakeTools(everything);
    expect(describeSetup(await setUp(tools, {...options, dryRun: true})).at(-1)).toBe('Nothing to do.');
  });
});

it('describes what was done', async () => {
  const {tools} = createFakeTools({...nothing, present: ['python']});
  expect(describeSetup(await setUp(tools, options))).toEqual([
    'system packages  installed for: qemu, buildah',
    'guest kernel     fetched: 6.1.0-1-cloud-amd64',
    'python image     ready: registry/python',
    'boot             a guest booted with qemu, tcg',
  ]);
});
