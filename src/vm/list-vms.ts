import type {ShownStatus, VmRecord} from '../model/vm-record.js';
import {settle} from './lifecycle.js';
import {vmFolder} from './reap.js';
import {findVm, selectVms} from './select-vms.js';
import {questionsAtOnce, several} from './several.js';
import type {VmContext} from './vm-context.js';

export interface ListOptions {
  readonly status: ShownStatus | null;
  /** The stopped ones too. */
  readonly all: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export interface VmList {
  readonly vms: readonly ShownVm[];
  /** Records that cannot be read, with the reason. */
  readonly broken: readonly {readonly id: string; readonly reason: string}[];
}

/** A VM with the status that the living processes show. */
export interface ShownVm {
  readonly record: VmRecord;
  readonly status: ShownStatus;
}

/** A stuck VM delays nobody. */
const ANSWER_MS = 200;

/** What there is. Changes nothing. */
export const listVms = async (context: VmContext, {status, all, labels}: ListOptions): Promise<VmList> => {
  const found = context.storeToRead()?.list() ?? {records: [], broken: []};
  const selected = selectVms(found.records, {vms: [], all: true, labels});
  const shown = await several(selected, questionsAtOnce, (record) => show(context, record));
  const vms = shown.filter((vm) => (status ? vm.status === status : all || vm.status !== 'stopped'));
  return {vms, broken: found.broken};
};

/** One VM, as `listVms` would show it. */
export const inspectVm = async (context: VmContext, wanted: string): Promise<ShownVm> =>
  await show(context, findVm(context.storeToRead()?.list().records ?? [], wanted));

const show = async (context: VmContext, found: VmRecord): Promise<ShownVm> => {
  const record = settle(found, context.isAlive);
  const {id, status, socket} = record;
  if (status !== 'running' || socket === null) return {record, status};
  const answer = await context.monitors.status({id, socket, folder: vmFolder(context, id)}, ANSWER_MS);
  return {record, status: answer?.isResponsive ? status : 'unresponsive'};
};
