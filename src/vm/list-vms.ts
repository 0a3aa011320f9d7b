import type {VmRecord, VmStatus} from '../model/vm-record.js';
import {settle} from './lifecycle.js';
import {findVm, selectVms} from './select-vms.js';
import type {VmContext} from './vm-context.js';

export interface ListOptions {
  readonly status: VmStatus | null;
  /** The stopped ones too. */
  readonly all: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export interface VmList {
  readonly records: readonly VmRecord[];
  /** Records that cannot be read, with the reason. */
  readonly broken: readonly {readonly id: string; readonly reason: string}[];
}

/** What there is, with the status as the living processes show it. Changes nothing. */
export const listVms = (context: VmContext, {status, all, labels}: ListOptions): VmList => {
  const found = context.storeToRead()?.list() ?? {records: [], broken: []};
  const settled = found.records.map((record) => settle(record, context.isAlive));
  const labelled = selectVms(settled, {vms: [], all: true, labels});
  const records = labelled.filter((record) =>
    status ? record.status === status : all || record.status !== 'stopped',
  );
  return {records, broken: found.broken};
};

/** One VM's record, as `listVms` would show it. */
export const inspectVm = (context: VmContext, wanted: string): VmRecord => {
  const records = context.storeToRead()?.list().records ?? [];
  return settle(findVm(records, wanted), context.isAlive);
};
