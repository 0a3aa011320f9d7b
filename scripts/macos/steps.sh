# shellcheck shell=sh
# shellcheck disable=SC3043 # every shell that can be /bin/sh on macOS has local
# shellcheck disable=SC2153 # the variables in capitals are setup.sh's
# What setup.sh does, step by step. Each step does nothing where its work is done already.

# Before anything is changed.
refuse_what_cannot_be_done() {
  [ -n "$BREW" ] || [ -z "$(wanted_formulae)" ] || fail 'Homebrew is not installed' \
    'install it as https://brew.sh says: one command, which asks for your password' 'then run this again'
  case $VOLUME_STATE in
    ready*) [ -d "$VOLUME" ] || fail "krunvm is set to $VOLUME, but that volume is at ${VOLUME_STATE#ready }" \
      "remove what is in its way, an empty folder $VOLUME" "or change storage_volume in $CONFIG" ;;
    insensitive*) fail "$VOLUME does not tell large letters from small ones (${VOLUME_STATE#insensitive })" \
      'that cannot be changed without losing what is on it: choose another name with --volume NAME' ;;
    absent) refuse_no_room ;;
  esac
}

refuse_no_room() {
  local verdict
  [ -z "$CONFIGURED" ] || fail "krunvm is set to $VOLUME, and there is no such volume" \
    "connect its disk; or, if it is gone for good, remove the line storage_volume from $CONFIG"
  verdict=$(diskutil info -plist / | judge_container)
  case $verdict in
    full*) fail "there is no room for guest images: ${verdict#full } bytes are free on this disk" \
      "make room, at least $NEEDED_BYTES bytes" ;;
    none) fail 'the disk of this Mac is not APFS' \
      'make a case-sensitive volume yourself, and name it with --volume NAME' ;;
  esac
  CONTAINER=${verdict#room }
}

# Its output stays as it is. It must not ask: we have.
brew_run() {
  echo "    brew $*"
  HOMEBREW_NO_ASK=1 HOMEBREW_NO_ENV_HINTS=1 "$BREW" "$@" </dev/null
}

install_programs() {
  local formulae
  formulae=$(wanted_formulae)
  if [ -n "$formulae" ]; then
    case $formulae in *"$TAP"*) add_tap ;; esac
    step 'Installing the programs with Homebrew.'
    if [ "$COMPILES" = yes ]; then echo '    Homebrew compiles some of them on this macOS; that takes long.'; fi
    # shellcheck disable=SC2086 # a list
    brew_run install $formulae || fail 'Homebrew could not install the programs' \
      'see its words above; then run this again' "by hand: brew install $(printf '%s' "$formulae" | tr '\n' ' ')" \
      "where the tap has lost one to Homebrew itself, its short name does: brew search krunvm"
    hash -r
  fi
  if [ "$(krunvm_verdict)" != ok ]; then
    add_tap
    step 'Bringing krunvm up to date.'
    brew_run upgrade krunvm || fail 'Homebrew could not bring krunvm up to date' 'see its words above'
  fi
  if lacks_libraries; then
    step "Putting krunvm's libraries back to where it looks for them."
    brew_run reinstall libkrunfw libkrun || fail 'Homebrew could not install the libraries' 'see its words above'
  fi
}

# Homebrew 6 and newer load nothing from a tap that is not trusted, dependencies included; 7 does not even tap it.
add_tap() {
  step "Adding Homebrew's tap $TAP, where krunvm and its parts come from."
  if "$BREW" command trust >/dev/null 2>&1; then
    brew_run trust "$TAP" || fail "Homebrew could not be told to trust $TAP" "by hand: brew trust $TAP"
  fi
  brew_run tap "$TAP" || fail "Homebrew could not add the tap $TAP" 'check that github.com can be reached'
}

make_volume() {
  case $VOLUME_STATE in
    unmounted*)
      step "Mounting the volume ${VOLUME##*/}."
      diskutil mount "${VOLUME_STATE#unmounted }" || fail 'macOS could not mount it' 'Disk Utility may know more'
      ;;
    absent) add_volume ;;
  esac
  find_volume
  is_volume_ready || fail "the volume ${VOLUME##*/} is not there: $VOLUME_STATE" 'look at it with: diskutil apfs list'
  prove_volume
}

# It shares the space of the disk, and takes only what is written to it.
add_volume() {
  step "Making a case-sensitive volume on $CONTAINER."
  echo "    diskutil apfs addVolume $CONTAINER 'Case-sensitive APFS' ${VOLUME##*/}"
  diskutil apfs addVolume "$CONTAINER" 'Case-sensitive APFS' "${VOLUME##*/}" ||
    fail 'macOS could not make the volume' 'see its words above; an administrator may have forbidden it'
}

prove_volume() {
  local probe
  [ -w "$VOLUME" ] || fail "$VOLUME belongs to somebody else" "run: sudo chown $(id -un) $(shell_quoted "$VOLUME")"
  probe=$VOLUME/.agent-case-$$
  : >"$probe"
  if [ -e "$VOLUME/.AGENT-CASE-$$" ]; then
    rm -f -- "$probe"
    fail "$VOLUME does not tell large letters from small ones" 'choose another name: --volume NAME'
  fi
  rm -f -- "$probe"
}

# Without this, krunvm asks where the volume is, and goes on asking where nobody answers.
tell_krunvm() {
  [ "$CONFIGURED" != "$VOLUME" ] || return 0
  local before content
  step "Writing storage_volume into $CONFIG."
  mkdir -p -- "${CONFIG%/*}"
  before=
  if [ -f "$CONFIG" ]; then before=$(cat -- "$CONFIG"); fi
  content=$(printf '%s\n' "$before" | with_storage_volume "$VOLUME")
  replace_file "$CONFIG" "$content"
}

tell_buildah() {
  lacks_containers_files || return 0
  local folder
  folder=$(containers_folder)
  step "Writing what is missing of policy.json and registries.conf in $folder."
  mkdir -p -- "$folder" || fail "$folder cannot be made" 'run: brew doctor'
  # Signatures are not checked, as everywhere in agent; digests are.
  [ -e "$folder/policy.json" ] ||
    replace_file "$folder/policy.json" '{"default": [{"type": "insecureAcceptAnything"}]}'
  [ -e "$folder/registries.conf" ] ||
    replace_file "$folder/registries.conf" 'unqualified-search-registries = ["docker.io"]'
}

make_state() {
  [ ! -d "$STATE" ] || return 0
  step "Making the state directory $STATE."
  { mkdir -p -- "$(dirname -- "$STATE")" && mkdir -m 700 -- "$STATE"; } ||
    fail "$STATE cannot be made" 'choose another folder: --state FOLDER'
}

# What the user wrote there stays.
write_env() {
  local before lines
  lines=$(env_lines)
  [ -n "$lines" ] || return 0
  step "Writing $STATE/.env."
  printf '%s\n' "$lines" | sed 's/^/    /'
  before=
  if [ -s "$STATE/.env" ]; then before=$(cat -- "$STATE/.env"; echo .); before=${before%.}; fi
  # A last line without an end must not run into ours.
  case $before in
    '' | *"$NEWLINE") ;;
    *) before=$before$NEWLINE ;;
  esac
  replace_file "$STATE/.env" "$before$lines"
}

NEWLINE='
'

# The file $1 gets the content $2, whole or not at all. A link stays one.
replace_file() {
  TEMPORARY=$(mktemp "$1.XXXXXX") || fail "$1 cannot be written" 'look at who owns its folder'
  trap 'rm -f -- "$TEMPORARY"' EXIT
  printf '%s\n' "$2" >"$TEMPORARY"
  if [ -L "$1" ]; then cat -- "$TEMPORARY" >"$1"; else mv -f -- "$TEMPORARY" "$1"; fi
  rm -f -- "$TEMPORARY"
}
