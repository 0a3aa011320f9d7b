import type {ImageStore} from '../../src/image/image-store.js';
import type {LauncherReport} from '../../src/launcher/launcher.js';
import {AgentError, type ErrorCode} from '../../src/model/errors.js';
import type {GuestImage} from '../../src/model/guest-image.js';
import type {ImageLanguage} from '../../src/model/language.js';
import {silentProgress} from '../../src/model/progress.js';
import type {SetupTools} from '../../src/setup/setup-tools.js';

export interface FakeMachine {
  /** Programs that are not there. */
  missing?: readonly string[];
  hasKernel?: boolean;
  /** The launcher has a kernel of its own. */
  bringsKernel?: boolean;
  /** Whether the package lists are there; without them no kernel can be found. */
  hasLists?: boolean;
  /** What `launcher.check` throws instead of a missing kernel. */
  launcherError?: ErrorCode;
  /** Images that are there. */
  present?: readonly ImageLanguage[];
  /** What a pull throws. */
  pullError?: ErrorCode;
  /** False on macOS. */
  canBuild?: boolean;
  boots?: boolean;
}

/** A machine in memory that remembers what was done to it. */
export const createFakeTools = (machine: FakeMachine) => {
  const done: string[] = [];
  const built = new Set<string>();
  let programs = (machine.missing ?? []).map((name) => ({name, purpose: 'is needed'}));
  let hasKernel = machine.hasKernel ?? true;
  let hasLists = machine.hasLists ?? true;
  const here = new Set((machine.present ?? []).map((language) => `registry/${language}`));
  const images: SetupTools['images'] = {
    canBuild: machine.canBuild ?? true,
    resolve: ({language}) => (built.has(`${language}`) ? `localhost/${language}` : `registry/${language}`),
    find: (reference) => (here.has(reference) ? imageOf(reference) : undefined),
    pull: async ({reference}) => {
      done.push(`pull ${reference}`);
      if (machine.pullError) throw new AgentError(machine.pullError, 'no pull');
      here.add(reference);
      return imageOf(reference);
    },
    buildLanguage: async ({language}) => {
      done.push(`build ${language}`);
      built.add(language);
      here.add(`localhost/${language}`);
      return imageOf(`localhost/${language}`);
    },
  } satisfies Partial<ImageStore>;
  const tools: SetupTools = {
    packages: {
      missing: async () => programs,
      install: async ({assumeYes}) => {
        done.push(`install ${programs.map(({name}) => name).join(' ')}${assumeYes ? ' --yes' : ''}`);
        programs = [];
      },
    },
    launcher: {
      check: async () => {
        if (programs.length > 0) throw new AgentError('LAUNCHER_UNAVAILABLE', 'no qemu');
        if (machine.launcherError) throw new AgentError(machine.launcherError, 'broken');
        if (!hasKernel) throw new AgentError('KERNEL_NOT_FOUND', 'no kernel');
      },
      examine: async () => {
        done.push('boot');
        return reportOf(machine.boots ?? true);
      },
    },
    kernel: machine.bringsKernel
      ? null
      : {
          fetch: async () => {
            if (!hasLists) throw new AgentError('KERNEL_NOT_FOUND', 'apt knows no kernel');
            done.push('kernel');
            hasKernel = true;
            return '6.1.0-1-cloud-amd64';
          },
          updateLists: async () => {
            done.push('lists');
            hasLists = true;
          },
        },
    images,
    progress: silentProgress,
    signal: new AbortController().signal,
  };
  return {tools, done};
};

const imageOf = (reference: string): GuestImage => ({
  digest: `sha256:${'0'.repeat(64)}`,
  references: [reference],
  rootfsPath: '/nowhere',
  sizeBytes: 1,
  architecture: 'x64',
  config: {env: [], workdir: '/', user: ''},
  createdAt: '2026-01-01T00:00:00Z',
});

const reportOf = (usable: boolean): LauncherReport => ({
  launcher: 'qemu',
  usable,
  accelerator: usable ? 'tcg' : null,
  findings: [
    {ok: usable, subject: 'boot', seen: usable ? 'booted' : 'silent for 60 s', mend: 'try another kernel'},
  ],
});
