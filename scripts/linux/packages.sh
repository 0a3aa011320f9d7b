# shellcheck shell=bash
# Which packages this machine lacks, and what each distribution calls them. Read by setup.sh.

# command | what for | Debian and Ubuntu | Fedora | Arch
needs() {
  local qemu_deb=qemu-system-x86 qemu_rpm=qemu-system-x86-core qemu_arch=qemu-system-x86
  local machine
  machine=$(uname -m)
  if [[ $machine == aarch64 ]]; then
    qemu_deb=qemu-system-arm qemu_rpm=qemu-system-aarch64-core qemu_arch=qemu-system-aarch64
  fi
  cat <<TEXT
qemu-system-$machine|runs the virtual machines|$qemu_deb|$qemu_rpm|$qemu_arch
buildah|fetches and builds guest images|buildah|buildah|buildah
mkfs.erofs|makes root file systems for guests|erofs-utils|erofs-utils|erofs-utils
mkfs.ext4|makes disks for guests|e2fsprogs|e2fsprogs|e2fsprogs
mmdebstrap|builds guest images where no registry answers|mmdebstrap|mmdebstrap|mmdebstrap
xz|unpacks kernels and their modules|xz-utils|xz|xz
zstd|unpacks kernels and their modules|zstd|zstd|zstd
TEXT
  if [[ $(id -u) != 0 ]]; then
    echo 'newuidmap|lets you build images without root|uidmap|shadow-utils|shadow'
  fi
  if [[ $KRUNVM == yes ]] && is_krunvm_packaged; then
    echo 'krunvm|runs them instead of QEMU where KVM works|krunvm|-|krunvm'
  fi
  if [[ $BUILD == yes ]]; then
    echo 'gcc|compiles the guest agent|gcc|gcc|gcc'
    echo 'musl-gcc|links the guest agent statically|musl-tools|musl-gcc|musl'
    echo 'ps|tells the tests what is running|procps|procps-ng|procps-ng'
    echo 'tmux|is the terminal of the tests|tmux|tmux|tmux'
  fi
}

# Prints the lines of `needs` whose command is not there.
missing() {
  local line
  while IFS= read -r line; do
    command -v "${line%%|*}" >/dev/null || printf '%s\n' "$line"
  done < <(needs)
}

family() {
  local ids
  # shellcheck source=/dev/null
  ids=$(. "$OS_RELEASE" 2>/dev/null && echo " ${ID:-} ${ID_LIKE:-} ")
  case $ids in
    *' debian '* | *' ubuntu '*) echo debian ;;
    *' fedora '* | *' rhel '*) echo fedora ;;
    *' arch '*) echo arch ;;
    *' suse '* | *' opensuse '*) echo suse ;;
    *) echo other ;;
  esac
}

# The packages of one family (a column of `needs`), space-separated, for the lines on standard input.
packages() {
  cut -d'|' -f"$1" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

have_candidates() {
  local package
  for package in "$@"; do
    # Read to the end: with pipefail, a reader that stops early makes the writer fail.
    apt-cache policy "$package" 2>/dev/null | grep '^  Candidate: [^(]' >/dev/null || return 1
  done
}

# krunvm is for those who have it: without it, everything runs on QEMU.
is_krunvm_packaged() {
  case $(family) in
    debian) have_candidates krunvm ;;
    arch | suse) true ;;
    *) false ;;
  esac
}

# The oldest that the launcher works with.
OLDEST_KRUNVM=0.2.5

why_no_krunvm() {
  case $(family) in
    debian) echo 'the package lists of this machine know none' ;;
    fedora) echo "Fedora's is older than $OLDEST_KRUNVM, which agent needs (Fedora 44: 0.1.6)" ;;
    *) echo 'no package of it is known for this distribution' ;;
  esac
}

advise_other_distribution() {
  local lines=$1
  case $(family) in
    fedora) fail 'these packages are not installed for you on this distribution (not tested there)' \
      "run: sudo dnf install $(packages 4 <<<"$lines")" ;;
    arch) fail 'these packages are not installed for you on this distribution (not tested there)' \
      "run: sudo pacman -S --needed $(packages 5 <<<"$lines")" 'mmdebstrap is in the AUR' ;;
    suse) advise_suse "$lines" ;;
    *) fail 'this distribution is not known here' \
      "install what Debian calls: $(packages 3 <<<"$lines")" ;;
  esac
}

advise_suse() {
  local others
  local -a hints=()
  others=$(grep -v '^krunvm|' <<<"$1" || true)
  if [[ -n $others ]]; then hints+=("install what Debian calls: $(packages 3 <<<"$others")"); fi
  if [[ $1 == *'krunvm|'* ]]; then hints+=("run: sudo zypper install krunvm (Tumbleweed's is new enough)"); fi
  fail 'these packages are not installed for you on this distribution (not tested there)' "${hints[@]}"
}
