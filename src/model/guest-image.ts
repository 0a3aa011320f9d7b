/** What an OCI image says about how to run it. */
export interface ImageConfig {
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** Absolute path; `/` where the image names none. */
  readonly workdir: string;
  /** `name`, `uid`, `name:group`, `uid:gid`; empty for root. */
  readonly user: string;
}

/** A root file system that any number of VMs share, read-only. */
export interface GuestImage {
  /** `sha256:<64 hex digits>`: the manifest's digest for an OCI image, the root image's own for one built here. */
  readonly digest: string;
  /** Names that lead to it, for example `docker.io/library/python:3.11-slim`. */
  readonly references: readonly string[];
  /** Absolute path of the erofs image; null where buildah's storage alone has it, under `storageName`: on macOS. */
  readonly rootfsPath: string | null;
  readonly sizeBytes: number;
  /** As Node names it: `x64`, `arm64`. */
  readonly architecture: string;
  readonly config: ImageConfig;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

/** The name of an image in buildah's storage, where krunvm looks for it. */
export const storageName = ({digest}: Pick<GuestImage, 'digest'>): string =>
  `localhost/agent/image:${digest.replace('sha256:', '')}`;
