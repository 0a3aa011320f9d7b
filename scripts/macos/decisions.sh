# shellcheck shell=sh
# shellcheck disable=SC3043 # every shell that can be /bin/sh on macOS has local
# What setup.sh decides. Each function reads its arguments and standard input, prints its answer and changes nothing.
# Plain sh, since the bash of macOS is 3.2; of sed and awk only what BSD's have too. echo may expand backslashes.

# The oldest krunvm that mounts volumes on macOS.
OLDEST_KRUNVM=0.2.5
# Homebrew has compiled krunvm for this macOS and newer; before, it compiles it here.
OLDEST_BOTTLED_MACOS=15
OLDEST_MACOS=14
# A container that is full stops the whole Mac.
NEEDED_BYTES=5000000000

# `uname -m`, and what `sysctl -n sysctl.proc_translated` says (1: Rosetta runs this shell).
judge_machine() {
  case $1 in
    arm64) echo ok ;;
    *) if [ "$2" = 1 ]; then echo rosetta; else echo intel; fi ;;
  esac
}

# `sw_vers -productVersion`
judge_macos() {
  local major
  major=${1%%.*}
  case $major in
    '' | *[!0-9]*) echo unknown ;;
    *)
      if [ "$major" -lt "$OLDEST_MACOS" ]; then
        echo old
      elif [ "$major" -lt "$OLDEST_BOTTLED_MACOS" ]; then
        echo compiles
      else
        echo ok
      fi
      ;;
  esac
}

# Whether a version, for example 0.2.6, is at least another one.
is_version_at_least() {
  awk -v have="$1" -v want="$2" 'BEGIN {
    parts = split(have, h, "."); wanted = split(want, w, ".")
    if (wanted > parts) parts = wanted
    for (i = 1; i <= parts; i++) {
      if (h[i] + 0 > w[i] + 0) exit 0
      if (h[i] + 0 < w[i] + 0) exit 1
    }
  }'
}

# `brew list --versions krunvm` on standard input. Nothing there: somebody else has installed it.
judge_krunvm() {
  local version
  version=$(awk 'NR == 1 && NF > 1 { sub(/_[0-9]+$/, "", $NF); print $NF }')
  if [ -z "$version" ] || is_version_at_least "$version" "$OLDEST_KRUNVM"; then echo ok; else echo "old $version"; fi
}

# The value of one key of a property list on standard input: a string, a number, true or false.
plist_value() {
  awk -v key="<key>$1</key>" '
    { gsub(/^[ \t]+|[ \t\r]+$/, "") }
    index($0, key) == 1 { found = 1; $0 = substr($0, length(key) + 1); gsub(/^[ \t]+/, "") }
    found && $0 != "" {
      if ($0 ~ /^<(true|false)\/>/) { gsub(/[<\/>]/, ""); print; exit }
      if ($0 !~ /^<(string|integer)>/) exit
      gsub(/<[^>]*>/, "")
      gsub(/&lt;/, "<"); gsub(/&gt;/, ">"); gsub(/&quot;/, "\""); gsub(/&apos;/, "\047"); gsub(/&amp;/, "\\&")
      print
      exit
    }'
}

# `diskutil info -plist` of a volume on standard input: `ready MOUNTPOINT`, `insensitive FILESYSTEM` or `unmounted DEVICE`.
judge_volume() {
  local plist filesystem mount
  plist=$(cat)
  filesystem=$(printf '%s\n' "$plist" | plist_value FilesystemName)
  mount=$(printf '%s\n' "$plist" | plist_value MountPoint)
  case $filesystem,$mount in
    Case-sensitive*,?*) printf 'ready %s\n' "$mount" ;;
    # Not every macOS names the file system of what is not mounted; then mounting tells.
    Case-sensitive*, | ,) echo "unmounted $(printf '%s\n' "$plist" | plist_value DeviceIdentifier)" ;;
    *) echo "insensitive ${filesystem:-unknown file system}" ;;
  esac
}

# `df -P FOLDER` on standard input: the device, for example disk3s7.
device_of() {
  awk 'NR == 2 { sub(/^\/dev\//, "", $1); print $1 }'
}

# `diskutil info -plist /` on standard input: `room CONTAINER`, `full BYTES` or `none` where the disk is no APFS.
judge_container() {
  local plist container free
  plist=$(cat)
  container=$(printf '%s\n' "$plist" | plist_value APFSContainerReference)
  free=$(printf '%s\n' "$plist" | plist_value APFSContainerFree)
  if [ -z "$container" ]; then
    echo none
  elif [ -n "$free" ] && [ "$free" -lt "$NEEDED_BYTES" ]; then
    echo "full $free"
  else
    echo "room $container"
  fi
}

# krunvm.toml on standard input: its storage_volume, or nothing.
storage_volume() {
  awk '
    /^[ \t]*\[/ { exit }
    /^[ \t]*storage_volume[ \t]*=/ {
      sub(/^[^=]*=[ \t]*/, ""); sub(/[ \t\r]*(#.*)?$/, "")
      if ($0 ~ /^".*"$/) { $0 = substr($0, 2, length($0) - 2); gsub(/\\\\/, "\001"); gsub(/\\"/, "\""); gsub(/\001/, "\\") }
      else if ($0 ~ /^\047.*\047$/) $0 = substr($0, 2, length($0) - 2)
      print
      exit
    }'
}

# krunvm.toml on standard input, empty where there is none: the same with storage_volume. Nothing else changes, so that
# no VM is lost. krunvm refuses a file that lacks any of these keys, the empty table included.
with_storage_volume() {
  local volume
  volume=$(printf '%s\n' "$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g')
  VOLUME=$volume awk '
    BEGIN { line = "storage_volume = \"" ENVIRON["VOLUME"] "\"" }
    NF { any = 1 }
    !done && /^[ \t]*storage_volume[ \t]*=/ { print line; done = 1; next }
    !done && /^[ \t]*\[/ { print line; print ""; done = 1 }
    any { print }
    END {
      if (!any) print "version = 1\ndefault_cpus = 2\ndefault_mem = 1024\ndefault_dns = \"1.1.1.1\"\n" line "\n\n[vmconfig_map]"
      else if (!done) print line
    }'
}

# A word that a shell reads back as it is.
shell_quoted() {
  printf "'%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")"
}

# A path as somebody would type it: below the home folder $2 with a tilde.
shown_path() {
  local rest
  rest=${1#"$2"/}
  # shellcheck disable=SC2088 # the tilde is expanded by who types it
  case $rest in
    "$1" | *[!A-Za-z0-9._/-]*) shell_quoted "$1" ;;
    *) printf '~/%s' "$rest" ;;
  esac
}

# .env on standard input; the state directory; Homebrew's bin where PATH lacks it, else nothing. Prints the lines that are
# missing: a variable that the user has set there stays as it is.
missing_env_lines() {
  local env
  env=$(cat)
  sets_variable AGENT_STATE_DIR "$env" || printf 'export AGENT_STATE_DIR=%s\n' "$(shell_quoted "$1")"
  sets_variable AGENT_LAUNCHER "$env" || echo 'export AGENT_LAUNCHER=krunvm'
  [ -z "$2" ] || sets_variable PATH "$env" || printf 'export PATH=%s:"%s"\n' "$(shell_quoted "$2")" "\$PATH"
}

sets_variable() {
  printf '%s\n' "$2" | grep -q "^[[:space:]]*\(export[[:space:]][[:space:]]*\)\{0,1\}$1="
}
