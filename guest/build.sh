#!/bin/sh
# Builds the guest agent as one static program: build.sh [ARCH] [OUTDIR]
# CC and CFLAGS, where they are set, replace the compiler and the optimisation flags.
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd)
native=$(uname -m)
[ "$native" != arm64 ] || native=aarch64
arch=${1:-$native}
out=${2:-$here/../dist/guest}

case $arch in
  x86_64 | aarch64) ;;
  *)
    echo "build.sh: unknown architecture '$arch': x86_64 or aarch64" >&2
    exit 2
    ;;
esac

has() { command -v "$1" >/dev/null 2>&1; }

# This machine's own compiler where the guest is like it, else one that makes programs for other machines.
find_compiler() {
  if [ "$(uname -s)" = Linux ] && [ "$arch" = "$native" ]; then
    if has musl-gcc; then echo musl-gcc; else echo cc; fi
    return
  fi
  for cross in "$arch-linux-gnu-gcc" "$arch-linux-musl-gcc"; do
    if has "$cross"; then
      echo "$cross"
      return
    fi
  done
  if has zig; then
    echo "zig cc -target $arch-linux-musl"
    return
  fi
  echo "build.sh: no compiler here makes Linux programs for $arch: install zig, or $arch-linux-gnu-gcc" >&2
  return 1
}

cc=${CC:-}
[ -n "$cc" ] || cc=$(find_compiler)

mkdir -p -- "$out"
target=$out/agent-$arch
temporary=$target.$$
trap 'rm -f -- "$temporary"' EXIT

# Fortified functions exist only with optimisation and in some C libraries; elsewhere this is nothing.
# shellcheck disable=SC2086 # CC and CFLAGS are lists of words
$cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -I"$here" \
  ${CFLAGS:--Os -static -s -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2} \
  -fstack-protector-strong -fno-strict-aliasing -ffunction-sections -fdata-sections \
  -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
  "$here"/*.c "$here"/*/*.c -o "$temporary"

mv -f -- "$temporary" "$target"
printf '%s %s bytes\n' "$target" "$(wc -c <"$target" | tr -d ' ')"
