import type {ExecRequest, Session} from '../guest/guest.js';
import type {WindowSize} from '../model/terminal.js';
import {withBootedVm} from './boot-vm.js';
import type {targetOf} from './target.js';
import {endShell} from './shell-session.js';
import type {VmContext} from './vm-context.js';

/** Where shells run: a VM that is up. */
export interface ShellHost {
  readonly open: (request: ExecRequest) => Session;
  /** Shells that run on without a terminal of ours, the longest left first. */
  readonly detached: readonly DetachedShell[];
  readonly reenter: (session: number, size: WindowSize) => Session;
  /** Leaves it running. */
  readonly detach: (session: Session) => Promise<void>;
}

export interface DetachedShell {
  readonly session: number;
  readonly command: string;
  /** How long it has been left. */
  readonly sinceMs: number;
}

/** Brings the VM up, where it is not. */
export const withShellHost = <T>(
  context: VmContext,
  target: ReturnType<typeof targetOf>,
  use: (host: ShellHost, context: VmContext) => Promise<T>,
): Promise<T> =>
  withBootedVm(context, target, ({guest}, held) =>
    use(
      {
        open: guest.exec,
        detached: [],
        reenter: () => {
          throw new Error('no shell was left');
        },
        detach: endShell,
      },
      held,
    ),
  );
