#!/bin/sh
# shellcheck disable=SC3043 # every shell that can be /bin/sh on macOS has local
# Prepares a Mac for agent: krunvm and buildah through Homebrew, a case-sensitive volume, the state directory. What is
# there already is kept. Nothing is changed before it has been said. The decisions are in decisions.sh.
set -eu

usage() {
  cat <<'TEXT'
usage: setup.sh [--build] [--check] [--yes] [--state FOLDER] [--volume NAME]

  --build         also what building and testing from source needs: zig, tmux
  --check         only say what is missing; exit 1 if anything is
  --yes           do not ask before anything is changed
  --state FOLDER  the state directory; default: $AGENT_STATE_DIR, else ~/agentVM
  --volume NAME   the case-sensitive volume for the files of guests; default: krunvm
TEXT
}

here=$(cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=scripts/macos/decisions.sh
. "$here/decisions.sh"

TAP=libkrun/krun
# Overridden by tests only.
VOLUMES=${AGENT_VOLUMES:-/Volumes}
HOMEBREW=${AGENT_HOMEBREW:-/opt/homebrew}
TEMPORARY=

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '  → %s\n' "$line" >&2; done
  exit 1
}

step() { printf '==> %s\n' "$1"; }

has() { command -v "$1" >/dev/null 2>&1; }

require_mac() {
  [ "$(uname -s)" = Darwin ] || fail 'this prepares a Mac' 'on Linux: scripts/linux/setup.sh'
  case $(judge_machine "$(uname -m)" "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)") in
    rosetta) fail 'this terminal runs under Rosetta' 'run: arch -arm64 zsh, and there this again' ;;
    intel) fail 'krunvm needs a Mac with Apple silicon, and this one has an Intel processor' \
      'use a Linux machine for agent' ;;
  esac
  local version
  version=$(sw_vers -productVersion)
  case $(judge_macos "$version") in
    ok) COMPILES=no ;;
    compiles) COMPILES=yes ;;
    *) fail "krunvm needs macOS $OLDEST_MACOS or newer, and this is $version" 'update macOS' ;;
  esac
  [ "$(id -u)" != 0 ] || fail 'Homebrew refuses to run as root' 'run this as yourself, without sudo'
}

find_homebrew() {
  BREW=$(command -v brew || true) PREFIX='' ADD_TO_PATH=''
  if [ -z "$BREW" ] && [ -x "$HOMEBREW/bin/brew" ]; then
    BREW=$HOMEBREW/bin/brew
    # krunvm itself calls brew, so the user's shell needs it too.
    ADD_TO_PATH=$HOMEBREW/bin
    PATH=$PATH:$ADD_TO_PATH
  fi
  [ -n "$BREW" ] || return 0
  PREFIX=$("$BREW" --prefix)
  # Where Homebrew for Intel has its place.
  [ "$PREFIX" != /usr/local ] || fail "the Homebrew of this terminal is the one for Intel, in $PREFIX" \
    'install it for Apple silicon as https://brew.sh says, and put /opt/homebrew/bin first in PATH'
}

# What krunvm is told already wins: the VMs that somebody made with it lie there.
find_volume() {
  CONFIG=$HOME/Library/Preferences/rs.krunvm/krunvm.toml
  CONFIGURED=
  if [ -f "$CONFIG" ]; then CONFIGURED=$(storage_volume <"$CONFIG"); fi
  VOLUME=${CONFIGURED:-$VOLUMES/${NAME:-krunvm}}
  case ${NAME:+$VOLUME} in
    # macOS puts a number behind the name where a folder is in the way.
    '' | "$VOLUMES/$NAME" | "$VOLUMES/$NAME "[0-9]*) ;;
    *) fail "krunvm uses $VOLUME already, as $CONFIG says" 'leave out --volume' ;;
  esac
  VOLUME_STATE=$(look_at_volume)
  case $VOLUME_STATE in
    ready*) [ -n "$CONFIGURED" ] || VOLUME=${VOLUME_STATE#ready } ;;
  esac
}

# It may be set to a folder on a volume; a volume that is not mounted is found by its name alone.
look_at_volume() {
  local plist device
  if [ -n "$CONFIGURED" ] && [ -d "$CONFIGURED" ]; then
    device=$(df -P "$CONFIGURED" | device_of)
    plist=$(diskutil info -plist "$device") || plist=
  elif ! plist=$(diskutil info -plist "${VOLUME##*/}" 2>/dev/null); then
    echo absent
    return
  fi
  printf '%s\n' "$plist" | judge_volume
}

is_volume_ready() {
  case $VOLUME_STATE in
    ready*) [ -d "$VOLUME" ] ;;
    *) return 1 ;;
  esac
}

# Formulae to install: those of the tap by their full names, since Homebrew has its own of some.
wanted_formulae() {
  has buildah || echo "$TAP/buildah"
  has krunvm || echo "$TAP/krunvm"
  [ "$BUILD" = no ] || has zig || echo zig
  [ "$BUILD" = no ] || has tmux || echo tmux
}

krunvm_verdict() {
  if [ -n "$BREW" ] && has krunvm; then "$BREW" list --versions krunvm 2>/dev/null | judge_krunvm; else echo ok; fi
}

# krunvm loads its libraries from there, and nowhere else.
lacks_libraries() {
  [ -n "$PREFIX" ] && [ "$(command -v krunvm || true)" = "$PREFIX/bin/krunvm" ] || return 1
  set -- "$PREFIX"/lib/libkrunfw.*dylib
  [ ! -e "$1" ]
}

# krunvm hands two files of its own prefix to buildah, whatever is exported.
containers_folder() {
  local krunvm
  krunvm=$(command -v krunvm || true)
  if [ -n "$krunvm" ]; then echo "$(dirname -- "$(dirname -- "$krunvm")")/etc/containers"; fi
}

lacks_containers_files() {
  local folder
  folder=$(containers_folder)
  [ -n "$folder" ] && ! { [ -e "$folder/policy.json" ] && [ -e "$folder/registries.conf" ]; }
}

env_lines() {
  if [ -f "$STATE/.env" ]; then
    missing_env_lines "$STATE" "$ADD_TO_PATH" <"$STATE/.env"
  else
    missing_env_lines "$STATE" "$ADD_TO_PATH" </dev/null
  fi
}

# name|what for
missing() {
  local verdict
  verdict=$(krunvm_verdict)
  [ -n "$BREW" ] || [ -z "$(wanted_formulae)" ] || echo 'homebrew|installs the programs below'
  has krunvm || echo 'krunvm|runs the virtual machines'
  [ "$verdict" = ok ] || echo "krunvm|runs the virtual machines; ${verdict#old } is too old, $OLDEST_KRUNVM is needed"
  has buildah || echo 'buildah|fetches and unpacks guest images'
  if lacks_libraries; then echo "libkrunfw|the kernel of the guests, in $PREFIX/lib"; fi
  [ "$BUILD" = no ] || has zig || echo 'zig|compiles the guest agent'
  [ "$BUILD" = no ] || has tmux || echo 'tmux|is the terminal of the tests'
  is_volume_ready || echo "volume|a case-sensitive volume for the files of guests: $VOLUME"
  [ "$CONFIGURED" = "$VOLUME" ] || echo "krunvm-settings|tell krunvm about that volume: $CONFIG"
  if lacks_containers_files; then echo "containers-settings|tell buildah what to trust: $(containers_folder)"; fi
  [ -d "$STATE" ] || echo "state|the state directory of agent: $STATE"
  [ -z "$(env_lines)" ] || echo "environment|what to source in a terminal: $STATE/.env"
}

describe() {
  local name what
  while IFS='|' read -r name what; do printf '  %-20s %s\n' "$name" "$what"; done
}

confirm() {
  [ "$YES" = no ] || return 0
  [ -t 0 ] || fail 'nobody is there to ask' 'run this again with --yes'
  local answer
  printf 'Go on? [Y/n] '
  read -r answer || answer=n
  case $answer in
    '' | [yYjJ]*) ;;
    *) fail 'stopped: nothing was changed' ;;
  esac
}

# shellcheck source=scripts/macos/steps.sh
. "$here/steps.sh"

survey() {
  find_homebrew
  find_volume
}

check_only() {
  local lines
  lines=$(missing)
  [ -n "$lines" ] || return 0
  echo 'missing:'
  printf '%s\n' "$lines" | describe
  return 1
}

install_all() {
  local lines
  lines=$(missing)
  if [ -n "$lines" ]; then
    echo 'agent needs what this Mac does not have:'
    printf '%s\n' "$lines" | describe
    refuse_what_cannot_be_done
    confirm
    install_programs
    make_volume
    tell_krunvm
    tell_buildah
    make_state
    write_env
    survey
    lines=$(missing)
    [ -z "$lines" ] || fail 'still missing:' "$(printf '%s\n' "$lines" | cut -d'|' -f1 | tr '\n' ' ')"
  fi
  echo 'This Mac is ready. Next:'
  printf '  source %s\n' "$(shown_path "$STATE/.env" "$HOME")"
  echo '  agent doctor'
}

main() {
  BUILD=no YES=no NAME='' STATE=${AGENT_STATE_DIR:-$HOME/agentVM}
  local task=install
  while [ $# -gt 0 ]; do
    case $1 in
      --build) BUILD=yes ;;
      --check) task=check ;;
      --yes | -y) YES=yes ;;
      --state | --volume)
        [ -n "${2:-}" ] || { usage >&2 && exit 2; }
        if [ "$1" = --state ]; then STATE=$2; else NAME=$2; fi
        shift
        ;;
      --help | -h)
        usage
        exit 0
        ;;
      *)
        usage >&2
        exit 2
        ;;
    esac
    shift
  done
  case $STATE in /*) ;; *) STATE=$PWD/$STATE ;; esac
  case $NAME in */* | -*) fail "'$NAME' is no name for a volume" ;; esac
  require_mac
  survey
  case $task in
    check) check_only ;;
    install) install_all ;;
  esac
}

main "$@"
