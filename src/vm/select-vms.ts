import {AgentError, usageError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';

export interface Selection {
  /** Ids, unambiguous prefixes of ids, or names. */
  readonly vms: readonly string[];
  readonly all: boolean;
  /** `key=value`; a VM must carry every one. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The VMs asked for, in the order asked for, each once. Throws USAGE, VM_NOT_FOUND, VM_AMBIGUOUS. */
export const selectVms = (records: readonly VmRecord[], selection: Selection): VmRecord[] => {
  const hasLabels = Object.keys(selection.labels).length > 0;
  if (selection.vms.length === 0 && !selection.all && !hasLabels) {
    throw usageError(
      'No VM was named.',
      'name one with --vm ID, or take several with --all or --label key=value',
    );
  }
  if (selection.vms.length > 0 && (selection.all || hasLabels)) {
    throw usageError('--vm does not go together with --all or --label.', 'use one of them');
  }
  if (selection.vms.length === 0) return records.filter((record) => carries(record, selection.labels));
  return [...new Set(selection.vms.map((wanted) => findVm(records, wanted)))];
};

/** One VM by id, name or unambiguous prefix. */
export const findVm = (records: readonly VmRecord[], wanted: string): VmRecord => {
  const exact = records.find((record) => record.id === wanted || record.name === wanted);
  if (exact) return exact;
  const matches = wanted === '' ? [] : records.filter((record) => record.id.startsWith(wanted));
  const [match, another] = matches;
  if (match && !another) return match;
  if (another) {
    throw new AgentError('VM_AMBIGUOUS', `'${wanted}' matches ${matches.length} VMs.`, {
      details: matches.slice(0, 5).map((record) => record.id),
      hints: ['type more of the id'],
    });
  }
  throw new AgentError('VM_NOT_FOUND', `No VM named '${wanted}'.`, {
    hints: ['see what there is: agent vm list --all'],
  });
};

const carries = (record: VmRecord, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(labels).every(
    ([key, value]) => Object.hasOwn(record.labels, key) && record.labels[key] === value,
  );
