import {closeSync, openSync, readdirSync, readFileSync} from 'node:fs';

const CLOSED_ON_EXEC = 0o2000000; // O_CLOEXEC, as /proc/PID/fdinfo shows it: proc(5)
const MOST = 4_096;

/**
 * Calls `start` with what belongs behind the child's own streams, from `first` on, so that it does not inherit what
 * nobody means it to: the database's descriptor, which LMDB opens so, and those that whoever started us has left open.
 * They become /dev/null in the child; to leave them out would not do, since libuv then passes ours on. The numbers in
 * between stay untouched, since libuv keeps a descriptor of its own among them.
 */
export const coveringInherited = <T>(first: number, start: (covers: (number | 'ignore')[]) => T): T => {
  const leaking = new Set(
    openNumbers().filter((number) => number >= first && number <= MOST && isInherited(number)),
  );
  if (leaking.size === 0) return start([]);
  const nothing = openSync('/dev/null', 'r+');
  try {
    const count = Math.max(...leaking) - first + 1;
    return start(
      Array.from({length: count}, (_, index) => (leaking.has(first + index) ? nothing : 'ignore')),
    );
  } finally {
    closeSync(nothing);
  }
};

// Elsewhere than on Linux nothing tells; there the VMM runs with our rights anyway.
const openNumbers = (): number[] =>
  process.platform === 'linux' ? readdirSync('/proc/self/fd').map(Number) : [];

const isInherited = (descriptor: number): boolean => {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'));
    return (Number.parseInt(flags?.[1] ?? '0', 8) & CLOSED_ON_EXEC) === 0;
  } catch {
    return false; // the one that the folder was read with
  }
};

/** execa passes on any descriptor; its types know only those below 10. */
export const inherited = (descriptor: number | 'ignore'): 3 | 'ignore' => descriptor as 3 | 'ignore';
