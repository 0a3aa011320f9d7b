import {deadlineError} from '../model/errors.js';
import {protocolError} from './protocol-error.js';

/** More questions than this are never left open: the guest is dead. */
const MAX_OPEN = 64;

/** Questions to the guest that it answers in order, each with the very bytes that were agreed. */
export interface Replies {
  /** Resolves with the answer; rejects at the deadline, when the channel ends, and unasked when too much is open. */
  readonly await: (options: {
    readonly phase: string;
    readonly timeoutMs: number;
    readonly answer: Buffer;
    /** Asks: an answer is expected from here on. */
    readonly send: () => void;
  }) => Promise<void>;
  /** The guest has answered; throws where nothing was asked. */
  readonly receive: (answer: Buffer) => void;
  readonly fail: (error: Error) => void;
}

export interface RepliesOptions {
  /** The answer's, for errors. */
  readonly name: string;
  readonly lastLines: () => readonly string[];
}

interface Question {
  readonly answer: Buffer;
  readonly settle: (error?: Error) => void;
}

export const createReplies = ({name, lastLines}: RepliesOptions): Replies => {
  // A question whose deadline has passed stays until its late answer, so that the next answer is not taken for it.
  const open: Question[] = [];
  return {
    await: ({phase, timeoutMs, answer, send}) =>
      new Promise((resolve, reject) => {
        if (open.length >= MAX_OPEN) return reject(deadlineError(phase, timeoutMs, lastLines()));
        const startedAt = performance.now();
        const timer = setTimeout(
          () => reject(deadlineError(phase, performance.now() - startedAt, lastLines())),
          timeoutMs,
        );
        open.push({
          answer,
          settle: (error) => {
            clearTimeout(timer);
            if (error === undefined) resolve();
            else reject(error);
          },
        });
        send();
      }),
    receive: (answer) => {
      const question = open[0];
      if (question === undefined) throw protocolError(`it sent ${name} unasked`);
      if (!answer.equals(question.answer)) throw protocolError(`its ${name} is not what was asked for`);
      open.shift();
      question.settle();
    },
    fail: (error) => {
      for (const question of open.splice(0)) question.settle(error);
    },
  };
};
