#!/usr/bin/env bash
# Installs the system packages that agent needs on Linux. packages.sh alone knows their names; kvm.sh is about /dev/kvm.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: setup.sh [--build] [--krunvm] [--check] [--yes]
       setup.sh --lists [--yes]

  --build   also what building and testing from source needs: a C compiler, ps
  --krunvm  also krunvm, where this distribution has it, and leave to use KVM
  --check   only say what is missing; exit 1 if anything is
  --lists   only update apt's package lists, which the download of a guest kernel needs
  --yes     do not ask before installing
TEXT
}

# Overridden by tests only.
OS_RELEASE=${AGENT_OS_RELEASE:-/etc/os-release}
SUBUID=${AGENT_SUBUID:-/etc/subuid}
KVM=${AGENT_KVM:-/dev/kvm}
# Debian keeps mkfs.ext4 and its like where an ordinary user's PATH does not reach.
PATH=$PATH:${AGENT_SBIN:-/usr/sbin:/sbin}

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/linux/packages.sh
. "$here/packages.sh"
# shellcheck source=scripts/linux/kvm.sh
. "$here/kvm.sh"

describe() {
  local command what
  while IFS='|' read -r command what _; do printf '  %-20s %s\n' "$command" "$what"; done
}

# How to become root: nothing, `sudo`, `sudo -n`, or `none`.
elevation() {
  if [[ $(id -u) == 0 ]]; then
    echo ''
  elif ! command -v sudo >/dev/null; then
    echo none
  elif [[ -t 0 && -t 2 ]]; then
    echo sudo
  elif sudo -n true 2>/dev/null; then
    echo 'sudo -n'
  else
    echo none
  fi
}

# Without root, images are built in a user namespace, which takes a range of ids for this user.
lacks_subuid() {
  [[ $(id -u) != 0 ]] && ! grep -q "^\($(id -un)\|$(id -u)\):" "$SUBUID" 2>/dev/null
}

subuid_command() {
  echo "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
}

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '  → %s\n' "$line" >&2; done
  exit 1
}

# Shows the last line of a long output with the time it took so far; the whole goes to the file $1.
show_life() {
  local log=$1 began=$SECONDS shown=$SECONDS line width
  width=$((${COLUMNS:-80} - 12))
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    if [[ -t 1 ]]; then
      printf '\r\033[K  %4d s  %s' "$((SECONDS - began))" "${line:0:width}"
    elif ((SECONDS - shown >= 10)); then
      shown=$SECONDS
      printf '  … %d s: %s\n' "$((SECONDS - began))" "$line"
    fi
  done
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
}

# Runs a command as root; what it prints is kept in $LOG.
as_root() {
  local -a prefix=()
  [[ -n $ELEVATION ]] && read -ra prefix <<<"$ELEVATION"
  ${prefix[@]+"${prefix[@]}"} env DEBIAN_FRONTEND=noninteractive "$@" 2>&1 </dev/null | show_life "$LOG"
}

apt_install() {
  as_root apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
    install --no-install-recommends "$@"
}

apt_update() {
  echo 'Updating the package lists (apt-get update).'
  # One broken third-party source must not stop us: the installation itself tells whether it matters.
  as_root apt-get -q update || echo 'apt-get update reported errors; going on with the lists there are.'
}

install_with_apt() {
  local -a names
  read -ra names <<<"$1"
  LOG=$(mktemp)
  trap 'rm -f "$LOG"' EXIT
  local updated=no
  if ! have_candidates "${names[@]}"; then
    apt_update
    updated=yes
  fi
  echo "Installing: ${names[*]}"
  apt_install "${names[@]}" && return
  # Lists that name versions the mirror no longer has are the usual cause.
  if [[ $updated == no ]]; then
    apt_update
    apt_install "${names[@]}" && return
  fi
  tail -n 20 "$LOG" >&2
  fail 'apt-get could not install the packages' \
    'see its words above; then run this again' \
    "by hand: ${ELEVATION:+sudo }apt-get install --no-install-recommends $1"
}

confirm() {
  [[ $YES == yes ]] && return
  [[ -t 0 ]] || fail 'nobody is there to ask' 'run this again with --yes'
  local answer
  read -r -p 'Go on? [Y/n] ' answer
  [[ -z $answer || $answer == [yYjJ]* ]] || fail 'stopped: nothing was installed'
}

install_packages() {
  local lines=$1 names
  if [[ $(family) != debian ]]; then advise_other_distribution "$lines"; fi
  names=$(packages 3 <<<"$lines")
  echo "These Debian packages will be installed with apt-get: $names"
  ELEVATION=$(elevation)
  if [[ $ELEVATION == none ]]; then
    fail 'installing packages needs root, and there is no sudo that works without asking' \
      "run as root: apt-get update && apt-get install -y --no-install-recommends $names" 'then run this again'
  fi
  confirm
  install_with_apt "$names"
}

add_subuid() {
  echo "You have no range of user ids for building images; this adds one: $(subuid_command)"
  ELEVATION=$(elevation)
  if [[ $ELEVATION == none ]]; then
    fail 'that needs root' "run as root: $(subuid_command)" 'then run this again'
  fi
  confirm
  LOG=/dev/null
  local -a command
  read -ra command <<<"$(subuid_command)"
  as_root "${command[@]}"
}

join_group() {
  echo "KVM: you may not open $KVM; this puts you into its group: $(join_command "$1")"
  ELEVATION=$(elevation)
  if [[ $ELEVATION == none ]]; then
    fail 'that needs root' "run as root: $(join_command "$1")" 'then log in again'
  fi
  confirm
  LOG=/dev/null
  local -a command
  read -ra command <<<"$(join_command "$1")"
  as_root "${command[@]}"
  echo 'KVM: log in again to use it.'
}

update_lists() {
  command -v apt-get >/dev/null || fail 'there is no apt-get here'
  ELEVATION=$(elevation)
  if [[ $ELEVATION == none ]]; then
    fail 'updating the package lists needs root' 'run as root: apt-get update' 'then run this again'
  fi
  LOG=/dev/null
  apt_update
}

check_only() {
  local lines=$1
  if lacks_subuid; then lines+=${lines:+$'\n'}"subuid-range|a range of user ids for $(id -un), to build images without root"; fi
  if [[ $KRUNVM == yes ]] && lacks_kvm_access; then lines+=${lines:+$'\n'}"kvm-access|lets $(id -un) use $KVM"; fi
  [[ -z $lines ]] && return
  echo 'missing:'
  describe <<<"$lines"
  return 1
}

install_all() {
  local lines=$1
  if [[ -n $lines ]]; then
    echo 'agent needs these programs, which this machine does not have:'
    describe <<<"$lines"
    install_packages "$lines"
    lines=$(missing)
    [[ -z $lines ]] || fail 'still missing after the installation:' "$(cut -d'|' -f1 <<<"$lines" | tr '\n' ' ')"
  fi
  if lacks_subuid; then add_subuid; fi
  echo 'System packages: everything is there.'
  if [[ $KRUNVM == yes ]]; then prepare_krunvm; else advise_kvm; fi
}

main() {
  BUILD=no KRUNVM=no YES=no
  local task=install lines
  while (($# > 0)); do
    case $1 in
      --build) BUILD=yes ;;
      --krunvm) KRUNVM=yes ;;
      --check) task=check ;;
      --lists) task=lists ;;
      --yes | -y) YES=yes ;;
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
  lines=$(missing)
  case $task in
    check) check_only "$lines" ;;
    lists) update_lists ;;
    install) install_all "$lines" ;;
  esac
}

main "$@"
