import type {GuestImage} from '../model/guest-image.js';
import type {LogEvent} from './log-event.js';
import {inSeconds} from './vm-events.js';

/** A template as `image list` and the log lines show it. */
export interface ShownTemplate {
  readonly cpus: number;
  readonly memoryMib: number;
  readonly network: string;
  readonly sizeBytes: number;
  readonly createdAt: string;
}

export const templateToJson = (template: ShownTemplate): Record<string, unknown> => ({
  cpus: template.cpus,
  memory_mib: template.memoryMib,
  network: template.network,
  size_bytes: template.sizeBytes,
  created_at: template.createdAt,
});

interface Warmed {
  readonly image: GuestImage;
  readonly language: string | null;
  readonly launcher: string;
  readonly template: ShownTemplate;
  readonly wasWarm: boolean;
  readonly durationMs: number;
}

export const warmedEvent = ({
  image,
  language,
  launcher,
  template,
  wasWarm,
  durationMs,
}: Warmed): LogEvent => ({
  level: 'info',
  message: wasWarm ? 'image already warm' : 'image warmed',
  fields: {
    image: image.references[0] ?? image.digest,
    language,
    image_digest: image.digest,
    launcher,
    ...templateToJson(template),
    duration: inSeconds(durationMs),
  },
});
