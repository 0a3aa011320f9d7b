/** A session as the channel sees it: where frames of the other end go. */
export interface ChannelSession {
  /** Before any of its payload is kept; throws where such a frame is not allowed now. */
  readonly accept: (type: number, size: number) => void;
  /** STDOUT, STDERR and WINDOW. The payload may be a view: copy what is kept. */
  readonly receive: (type: number, payload: Buffer) => void;
  /** EXIT: nothing follows. */
  readonly end: (payload: Buffer) => void;
  /** No EXIT will come. */
  readonly fail: (error: Error) => void;
}
