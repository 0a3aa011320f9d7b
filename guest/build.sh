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

if [ -n "${CC:-}" ]; then
  cc=$CC
elif [ "$arch" != "$native" ]; then
  cc=$arch-linux-gnu-gcc
elif command -v musl-gcc >/dev/null; then
  cc=musl-gcc
else
  cc=cc
fi

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
