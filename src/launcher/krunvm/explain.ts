/** What krunvm means by its words, and how to mend it. Its exit codes say nothing by themselves. Pure. */
import {AgentError, type ErrorCode} from '../../model/errors.js';

interface Meaning {
  readonly words: RegExp;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hints: readonly string[];
}

const OTHER_LAUNCHER = 'or make new VMs with: --launcher qemu';
const SEE_DOCTOR = 'agent doctor shows what this machine can run';

const meanings: readonly Meaning[] = [
  {
    words: /unshare(?: failed)?: .*(?:not permitted|not allowed|denied|no space left)/i,
    code: 'ISOLATION_UNAVAILABLE',
    message: 'This machine forbids the namespaces that the VM needs.',
    hints: ['run agent as root, or allow user namespaces', OTHER_LAUNCHER],
  },
  {
    words: /no space left on device|disk quota exceeded/i,
    code: 'DISK_FULL',
    message: 'The disk is full.',
    hints: ['free some space, for example with: agent vm clean --all'],
  },
  {
    words: /Error creating the Kvm object|Error starting VM|\/dev\/kvm/,
    code: 'LAUNCHER_UNAVAILABLE',
    message: 'krunvm has no access to hardware virtualisation here.',
    hints: [
      'add yourself to the group of /dev/kvm: sudo usermod -aG kvm "$USER"',
      OTHER_LAUNCHER,
      SEE_DOCTOR,
    ],
  },
  {
    words: /libkrunfw/,
    code: 'LAUNCHER_UNAVAILABLE',
    message: 'krunvm does not find libkrunfw, which has the guest kernel.',
    hints: ['install libkrunfw again, in the version that libkrun was built for', OTHER_LAUNCHER],
  },
  {
    words: /libkrun\.so|libkrun\.\d*\.?dylib/,
    code: 'LAUNCHER_UNAVAILABLE',
    message: 'krunvm does not find libkrun.',
    hints: ['install libkrun 1.12 or later', OTHER_LAUNCHER],
  },
  {
    words: /requires buildah/,
    code: 'LAUNCHER_UNAVAILABLE',
    message: 'krunvm does not find buildah.',
    hints: ['run: agent setup'],
  },
  {
    words: /Kernel doesn't fit in RAM/,
    code: 'BOOT_FAILED',
    message: 'The VM has too little memory for its kernel.',
    hints: ['make one with more: --mem 256'],
  },
  {
    words: /Couldn't acquire lock file/,
    code: 'VM_BUSY',
    message: 'Another krunvm runs this VM.',
    hints: ['end it first: agent vm stop --all'],
  },
  {
    words: /Couldn't execute '\/\.agent'/,
    code: 'IMAGE_UNUSABLE',
    message: 'The guest agent is gone from the VM, or cannot run there.',
    hints: ['make the VM again: agent vm clean --vm ID, then agent vm create'],
  },
  {
    words: /Error mounting volume|Error setting VM mapped volume/,
    code: 'BOOT_FAILED',
    message: 'krunvm cannot share a folder with the guest.',
    hints: ['on macOS this needs krunvm 0.2.5 or later'],
  },
  {
    words: /buildah unshare" session/,
    code: 'LAUNCHER_UNAVAILABLE',
    message: 'krunvm needs a user namespace, which buildah could not give.',
    hints: ['give the user subordinate ids: agent setup', OTHER_LAUNCHER],
  },
];

export interface Ending {
  /** For example `create the VM` or `boot the VM`. */
  readonly doing: string;
  /** Printable lines of both streams. */
  readonly lines: readonly string[];
  /** How it ended: `exit code 255`. */
  readonly how: string;
  readonly cause?: unknown;
}

export const explainEnd = ({doing, lines, how, cause}: Ending): AgentError => {
  const text = lines.join('\n');
  const meaning = meanings.find(({words}) => words.test(text));
  const details = [...lines.slice(-12), `krunvm ended with ${how}`];
  if (meaning) {
    const {code, message, hints} = meaning;
    return new AgentError(code, `Cannot ${doing}: ${message}`, {details, hints, cause});
  }
  const silent = lines.length === 0;
  return new AgentError('BOOT_FAILED', `Cannot ${doing}: krunvm ended${silent ? ' without a word' : ''}.`, {
    details: silent
      ? [...details, 'the guest kernel may have panicked: krunvm shows nothing of that']
      : details,
    hints: [SEE_DOCTOR],
    cause,
  });
};

/** The same for one that was run to its end: `error` is PROCESS_FAILED. */
export const explainFailure = (doing: string, error: AgentError): AgentError => {
  const how = /(?:exited with|was ended by) (.+)$/.exec(error.message)?.[1] ?? 'an error';
  return explainEnd({doing, lines: error.details, how, cause: error});
};
