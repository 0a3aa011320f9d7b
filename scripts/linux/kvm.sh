# shellcheck shell=bash
# Whether this user can use KVM, and how that is mended. Read by setup.sh. Nothing here opens the device.

# What stands between a user and the device: `ok`, `join GROUP`, `login GROUP` (the session is older than the
# membership) or `closed`. Arguments: whether this process can open it, its mode and group, the groups of this process,
# the groups of the account.
judge_kvm() {
  local openable=$1 mode=$2 group=$3 session=" $4 " account=" $5 "
  local for_group=${mode: -2:1}
  if [[ $openable == yes ]]; then
    echo ok
  elif [[ $for_group != [67] || $group == root ]]; then
    echo closed
  elif [[ $session == *" $group "* ]]; then
    # Something other than its mode forbids it, which nothing here can mend.
    echo closed
  elif [[ $account == *" $group "* ]]; then
    echo "login $group"
  else
    echo "join $group"
  fi
}

kvm_verdict() {
  [[ -e $KVM ]] || { echo none && return; }
  local openable=no mode group
  # The program, which asks the kernel as the user that it is.
  if env test -r "$KVM" -a -w "$KVM"; then openable=yes; fi
  read -r mode group < <(stat -c '%a %G' "$KVM")
  judge_kvm "$openable" "$mode" "$group" "$(id -nG)" "$(id -nG "$(id -un)")"
}

lacks_kvm_access() {
  [[ $(kvm_verdict) == @(join|login|closed)* ]]
}

join_command() {
  echo "usermod -aG $1 $(id -un)"
}

OPEN_COMMAND="groupadd -f kvm; chgrp kvm $KVM; chmod 660 $KVM"

# One line where something is to be gained, else nothing.
advise_kvm() {
  local verdict
  verdict=$(kvm_verdict)
  case $verdict in
    join*) echo "KVM is here, but not for you. VMs are many times faster with it: sudo $(join_command "${verdict#join }"), then log in again." ;;
    login*) echo "KVM is here, and you are in the group ${verdict#login }: log in again to use it." ;;
    closed) echo "KVM is here, but closed to you. To open it, as root: $OPEN_COMMAND" ;;
    ok)
      if ! command -v krunvm >/dev/null && [[ $(family) != debian ]] && is_krunvm_packaged; then
        echo 'KVM is here. krunvm is packaged too, and boots VMs with it: setup.sh --krunvm'
      fi
      ;;
  esac
}

# For --krunvm: says what there is, and gives this user leave to use KVM.
prepare_krunvm() {
  local verdict
  if ! command -v krunvm >/dev/null; then
    echo "krunvm: $(why_no_krunvm). VMs run on QEMU, which has all it needs."
  fi
  verdict=$(kvm_verdict)
  case $verdict in
    none)
      echo "KVM: there is no $KVM, so QEMU emulates the processor."
      echo '  → on a machine of your own: switch virtualisation on in the firmware, then: sudo modprobe -a kvm_intel kvm_amd'
      echo '  → on a rented one: ask for nested virtualisation'
      ;;
    join*) join_group "${verdict#join }" ;;
    login*) echo "KVM: you are in the group ${verdict#login }. Log in again to use it." ;;
    closed)
      echo "KVM: $KVM is closed to you."
      echo "  → as root: $OPEN_COMMAND; then run this again"
      ;;
  esac
}
