import {describe, expect, it} from 'vitest';
import {explainEnd} from '../../../src/launcher/krunvm/explain.js';

describe('explainEnd', () => {
  it.each([
    ['Error creating the Kvm object: Error(2)', 'exit code 134', 'LAUNCHER_UNAVAILABLE', 'virtualisation'],
    ["thread 'main' panicked: Kernel doesn't fit in RAM", 'exit code 134', 'BOOT_FAILED', 'memory'],
    [
      'krunvm: error while loading shared libraries: libkrun.so.1: cannot open shared object file',
      'exit code 127',
      'LAUNCHER_UNAVAILABLE',
      'libkrun',
    ],
    ["Couldn't find or load libkrunfw.so.4", 'exit code 255', 'LAUNCHER_UNAVAILABLE', 'libkrunfw'],
    [
      "krunvm requires buildah to manage the OCI images, and it wasn't found on this system.",
      'exit code 255',
      'LAUNCHER_UNAVAILABLE',
      'buildah',
    ],
    [
      "Couldn't acquire lock file. Is another instance of this VM already running?",
      'exit code 255',
      'VM_BUSY',
      'Another krunvm',
    ],
    [
      "Couldn't execute '/.agent' inside the vm: No such file or directory",
      'exit code 127',
      'IMAGE_UNUSABLE',
      'agent',
    ],
    ['Error mounting volume /persist', 'exit code 255', 'BOOT_FAILED', 'folder'],
    [
      'Please re-run krunvm inside a "buildah unshare" session',
      'exit code 255',
      'LAUNCHER_UNAVAILABLE',
      'namespace',
    ],
    ['unshare: unshare failed: Operation not permitted', 'exit code 1', 'ISOLATION_UNAVAILABLE', 'forbids'],
    ['unshare: unshare failed: No space left on device', 'exit code 1', 'ISOLATION_UNAVAILABLE', 'forbids'],
    ['write: no space left on device', 'exit code 255', 'DISK_FULL', 'full'],
    ['something new', 'exit code 255', 'BOOT_FAILED', 'krunvm ended'],
  ])('knows %j', (line, how, code, word) => {
    const error = explainEnd({doing: 'boot the VM', lines: [line], how});
    expect(error).toMatchObject({code});
    expect(error.message).toContain('Cannot boot the VM');
    expect(error.message).toContain(word);
    expect(error.details).toEqual([line, `krunvm ended with ${how}`]);
    expect(error.hints.length).toBeGreaterThan(0);
  });

  it('says what a silent end may mean', () => {
    const error = explainEnd({doing: 'boot the VM', lines: [], how: 'exit code 0'});
    expect(error.message).toContain('without a word');
    expect(error.details.join()).toContain('panic');
  });
});
