/** Where bytes go, at the pace of the one who takes them. */
export interface Sink {
  /** Resolves when the sink is ready for more. */
  readonly write: (chunk: Buffer) => Promise<void>;
  readonly close: () => Promise<void>;
}
