import type {ShownStatus, VmRecord} from '../model/vm-record.js';

/** A VM as `list --json` and `inspect` show it; the names are those of the log lines. */
export const vmToJson = ({
  record,
  status,
}: {
  readonly record: VmRecord;
  readonly status: ShownStatus;
}): Record<string, unknown> => ({
  id: record.id,
  name: record.name,
  language: record.language,
  status,
  failure: record.failure,
  rootfs: record.image.reference,
  image_digest: record.image.digest,
  launcher: record.launcher,
  cpu_count: record.cpus,
  memoryMiB: record.memoryMib,
  network: record.network,
  persisted: record.persist,
  volume: record.volume,
  diskMiB: record.diskMib,
  temporary: record.ephemeral,
  labels: record.labels,
  env: record.env,
  idle_timeout_seconds: record.idleTimeoutMs / 1000,
  created_at: record.createdAt,
  last_run_at: record.lastRunAt,
  ended: record.ended,
  pid: record.vmm?.pid ?? null,
  monitor_pid: record.socket === null ? null : (record.owner?.pid ?? null),
});
