#!/bin/sh
# Builds the harness with the sanitizers, for this machine: build.sh PROGRAM
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd)
guest=$(cd -- "$here/../../../guest" && pwd)

set --  "$1" "$guest/fields.c" "$guest/channel/loop.c" "$guest/control/clock.c" "$guest/control/hello.c"
for file in "$guest"/session/*.c "$guest"/files/*.c; do
  case ${file##*/} in
    # One of the units has these, or replaced.c what stands for them.
    session.c | spawn.c | report.c | descendants.c | reap.c | tar-read.c) ;;
    *) set -- "$@" "$file" ;;
  esac
done
program=$1
shift

# shellcheck disable=SC2086 # CFLAGS is a list of words
${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$guest" -I"$here" ${CFLAGS:--O1 -g} \
  -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
  -Wl,--wrap=kill -Wl,--wrap=clock_settime -Wl,--wrap=sync -Wl,--wrap=ioctl \
  "$here"/*.c "$@" -o "$program"
