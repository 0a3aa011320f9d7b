import type {ChalkInstance} from 'chalk';
import type {LogEvent} from './log-event.js';
import {printable} from './printable.js';

/** Fields worth a person's time, by event; the JSON line has them all. */
const shown: Readonly<Record<string, readonly string[]>> = {
  'vm created': ['id', 'language', 'rootfs', 'cpu_count', 'memoryMiB', 'network'],
  'temporary vm created': ['id', 'rootfs', 'cpu_count', 'memoryMiB', 'network'],
  'vm run': ['vm', 'exit_code', 'stdout', 'stderr', 'duration'],
  'vm run failed': ['vm', 'exit_code', 'stdout', 'stderr', 'duration', 'limit'],
  'volume removed': ['volume', 'already_gone'],
  'vm copied': ['source', 'target', 'files', 'bytes', 'skipped'],
  'image pulled': ['reference', 'digest', 'size_bytes'],
  'image built': ['references', 'digest', 'size_bytes'],
  'image removed': ['untagged', 'deleted_digest'],
  'image warmed': ['image', 'cpus', 'memory_mib', 'network', 'size_bytes', 'duration'],
  'image already warm': ['image', 'cpus', 'memory_mib', 'network', 'size_bytes'],
};
const shownElsewhere = ['id', 'vm', 'exit_code', 'duration', 'limit', 'interpreted_as', 'already_gone'];

/** `vm created  id=python-1f3k9x2m …` for a terminal. */
export const toPrettyLine = ({level, message, fields, text}: LogEvent, chalk: ChalkInstance): string => {
  if (text !== undefined) return `${chalk.dim(printable(text))}\n`;
  const keys = shown[message] ?? shownElsewhere;
  const parts = keys
    .filter((key) => fields[key] !== undefined && fields[key] !== null)
    .map((key) => `${chalk.dim(`${key}=`)}${printable(String(fields[key]))}`);
  const colour = {debug: chalk.dim, info: chalk.green, warn: chalk.yellow, error: chalk.red}[level];
  return `${colour(message)}  ${parts.join(' ')}\n`;
};
