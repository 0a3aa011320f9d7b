/** `vm cp`: files between this machine and a VM, in either direction. */
import type {Readable} from 'node:stream';
import type {TransferLimits} from '../guest/guest.js';
import {AgentError} from '../model/errors.js';
import type {Sink} from '../model/sink.js';
import type {VmRecord} from '../model/vm-record.js';
import {copyIn, type InSource, lookAtSources} from './copy-in.js';
import {copyOut, lookAtTarget, type OutTarget} from './copy-out.js';
import {type CopyPlan, planCopy} from './copy-places.js';
import type {CopyGuest} from './copy-probe.js';
import type {Spool} from './copy-spool.js';
import {reap, vmFolder} from './reap.js';
import {withRunningVm} from './running-vm.js';
import {findVm} from './select-vms.js';
import {targetOf} from './target.js';
import type {VmContext} from './vm-context.js';

const MAX_ENTRIES = 100_000;

export interface CopyRequest {
  /** Sources and then the target, as they were typed. */
  readonly words: readonly string[];
  /** Of content. */
  readonly maxBytes: number;
}

export interface CopyIo {
  readonly stdin: Readable;
  readonly stdout: Sink;
  readonly isTerminal: boolean;
}

/** What has been copied from one source. */
export interface Copied {
  readonly record: VmRecord;
  /** As they were typed. */
  readonly source: string;
  readonly target: string;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  /** Links and what else stays in the guest. */
  readonly skipped: number;
}

type OnCopied = (copied: Copied) => void;

/** Throws USAGE before any work where something of it cannot be done. What was copied is told source by source. */
export const copyFiles = async (
  context: VmContext,
  request: CopyRequest,
  {io, onCopied}: {readonly io: CopyIo; readonly onCopied: OnCopied},
): Promise<void> => {
  const plan = planCopy(request.words);
  const record = findVm(context.storeIfAny()?.list().records ?? [], plan.vm);
  const limits = {maxBytes: request.maxBytes, maxEntries: MAX_ENTRIES};
  const target = request.words.at(-1) ?? '';
  const told: OnCopied = (copied) => onCopied({...copied, target});
  if (plan.direction === 'in') await intoGuest(context, {plan, record, limits}, {io, onCopied: told});
  else await outOfGuest(context, {plan, record, limits}, {io, onCopied: told});
};

interface Work<Direction> {
  readonly plan: Extract<CopyPlan, {readonly direction: Direction}>;
  readonly record: VmRecord;
  readonly limits: TransferLimits;
}

const intoGuest = async (
  context: VmContext,
  {plan, record, limits}: Work<'in'>,
  {io, onCopied}: {readonly io: CopyIo; readonly onCopied: OnCopied},
): Promise<void> => {
  const {image} = targetOf(context, record);
  let spooled: Spool | undefined;
  try {
    const {signal} = context;
    const looking = {limits, input: io.stdin, spoolFolder: vmFolder(context, record.id), signal};
    const sources = await lookAtSources(plan.sources, looking, (made) => {
      spooled = made;
    });
    await withVm(context, record, async (guest) => {
      await copyIn({
        ...guest,
        sources,
        target: plan.target,
        limits,
        user: image.config.user,
        onBytes: tellBytes(context, `copying to ${record.id}`),
        onCopied: (source) => onCopied(copiedOf(record, source)),
      });
    });
  } finally {
    await spooled?.file.close();
  }
};

const copiedOf = (record: VmRecord, {typed, count}: InSource): Copied => ({
  record,
  source: typed,
  target: '',
  ...count,
});

const outOfGuest = async (
  context: VmContext,
  {plan, record, limits}: Work<'out'>,
  {io, onCopied}: {readonly io: CopyIo; readonly onCopied: OnCopied},
): Promise<void> => {
  const stream = {sink: io.stdout, isTerminal: io.isTerminal};
  const target = await lookAtTarget(plan.target, plan.sources, stream);
  targetOf(context, record);
  await withVm(context, record, async (guest) => {
    for (const source of plan.sources) {
      const onBytes = tellBytes(context, `copying ${source.path} from ${record.id}`);
      const count = await copyOut({...guest, target: unblocked(target, guest), limits, onBytes}, source);
      onCopied({record, source: source.typed, target: '', ...count});
    }
  });
};

/** A reader that does not read on holds up what is written to it, and neither our end nor that of the VM. */
const unblocked = (target: OutTarget, {guest, signal}: CopyGuest): OutTarget => {
  if (target.kind !== 'stream') return target;
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(new AgentError('INTERRUPTED', 'copying was interrupted'));
    if (signal.aborted) end();
    signal.addEventListener('abort', end, {once: true});
    void guest.closed.then((error) => error && reject(error));
  });
  ended.catch(() => {}); // nothing was being written
  const {sink} = target;
  return {...target, sink: {...sink, write: (chunk) => Promise.race([sink.write(chunk), ended])}};
};

const withVm = async (
  context: VmContext,
  {id}: VmRecord,
  use: (guest: CopyGuest) => Promise<void>,
): Promise<void> => {
  await reap(context);
  await withRunningVm(context, id, async ({guest}) => await use({guest, signal: context.signal}));
};

const tellBytes = ({progress}: VmContext, step: string): ((bytes: number) => void) => {
  progress.step(step);
  return (bytes) => progress.detail(`${(bytes / 1024 ** 2).toFixed(1)} MiB`);
};
