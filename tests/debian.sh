# Programs from Debian's packages, unpacked under target/ without root and without touching the
# system. Sourced by tests/all.sh in the root of the package.

DEBIAN=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}/debian")
readonly DEBIAN

# program NAME PACKAGE [PATH [SUITE]]: prints where program NAME is: PATH if given, else on $PATH
# unless it is to be of a SUITE, else in Debian's PACKAGE, which is unpacked under target/ once.
# Prints what to install if that fails.
program() {
  local name=$1 package=$2 given=${3:-} suite=${4:-} found
  if [[ -n $given ]]; then
    found=$given
  elif [[ -z $suite ]] && found=$(command -v "$name"); then
    :
  else
    bring "$package" "$suite" >&2 || return 1
    found=$DEBIAN/$suite/$package/usr/bin/$name
  fi
  if ! "$found" --version >/dev/null 2>&1; then
    { echo "$found does not run here; its libraries:"; ldd "$found"; } >&2
    return 1
  fi
  printf '%s\n' "$found"
}

# alertmanager [PATH]: prints where Alertmanager is. Debian's reads its texts only from /usr/share,
# so an unpacked one runs with its own folder mounted there, which only it sees.
alertmanager() {
  local found root wrapper=$DEBIAN/alertmanager.sh
  found=$(program prometheus-alertmanager prometheus-alertmanager "${1:-}") || return 1
  root=$DEBIAN//prometheus-alertmanager
  if [[ $found != "$root"/* ]]; then printf '%s\n' "$found"; return 0; fi
  cat >"$wrapper" <<EOF
#!/bin/sh
exec unshare --map-root-user --mount sh -c \
  'mount --bind "\$0/usr/share" /usr/share && exec "\$0/usr/bin/prometheus-alertmanager" "\$@"' '$root' "\$@"
EOF
  chmod +x "$wrapper"
  if ! "$wrapper" --version >/dev/null; then
    echo "Alertmanager cannot have a mount namespace here: apt-get install prometheus-alertmanager, or name one by TEST_ALERTMANAGER" >&2
    return 1
  fi
  printf '%s\n' "$wrapper"
}

# bring PACKAGE [SUITE]: unpacks a Debian package under target/debian.
bring() {
  local package=$1 suite=${2:-} place=$DEBIAN/${2:-}/$1 tool
  if [[ -d $place ]]; then return 0; fi
  for tool in apt-get apt-config dpkg-deb awk; do
    if ! command -v "$tool" >/dev/null; then
      echo "$package${suite:+ of Debian $suite} is missing and there is no $tool to unpack it with: $(instead "$suite")"
      return 1
    fi
  done
  rm -rf "$place.new"
  mkdir -p "$place.new/deb" "$place.new/root"
  if ! download "$package" "$place.new/deb" "$suite"; then
    echo "cannot download the Debian package $package${suite:+ of $suite}: $(instead "$suite")"
    return 1
  fi
  dpkg-deb -x "$place.new/deb/"*.deb "$place.new/root" || return 1
  mv "$place.new/root" "$place"
  rm -rf "$place.new"
}

# browser: prints the folder in which Chromium, its driver and all that they need are unpacked.
browser() {
  local place=$DEBIAN/browser package packages
  if [[ -d $place ]]; then printf '%s\n' "$place"; return 0; fi
  {
    packages=$(apt-get --quiet=2 --simulate install chromium chromium-driver fonts-dejavu-core | awk '/^Inst /{print $2}')
    if [[ -z $packages ]]; then
      echo "chromium is missing and apt cannot say what it needs: apt-get install chromium chromium-driver"
      return 1
    fi
    rm -rf "$place.new" && mkdir -p "$place.new/deb" "$place.new/root"
    # The names are one word each.
    # shellcheck disable=SC2086
    (cd "$place.new/deb" && apt-get --quiet=2 -o APT::Sandbox::User="$(id -un)" download $packages) || return 1
    for package in "$place.new/deb/"*.deb; do
      dpkg-deb -x "$package" "$place.new/root" || return 1
    done
    mv "$place.new/root" "$place" && rm -rf "$place.new"
  } >&2
  printf '%s\n' "$place"
}

# opens_a_page CHROMIUM CHROMEDRIVER: whether the browser shows a page here, and its driver runs.
opens_a_page() {
  local profile shown status=0
  profile=$(mktemp -d)
  shown=$(timeout 60 "$1" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --disable-background-networking --user-data-dir="$profile" --dump-dom 'data:text/html,<p>shown</p>' 2>&1 </dev/null)
  if [[ $shown != *'<p>shown</p>'* ]]; then
    printf '%s\nChromium (%s) does not open a page here\n' "$shown" "$1"
    status=1
  fi
  if ! "$2" --version; then
    printf 'chromedriver (%s) does not run here\n' "$2"
    status=1
  fi
  rm -rf "$profile"
  return "$status"
}

# axe_core: prints where the accessibility check is, from npm's package, unpacked under target/.
axe_core() {
  local place=$DEBIAN/../npm
  if [[ ! -e $place/package/axe.min.js ]]; then
    {
      mkdir -p "$place" &&
        (cd "$place" && npm pack --silent axe-core >/dev/null && tar -xzf axe-core-*.tgz package/axe.min.js)
    } >&2 || { echo "axe-core cannot be had from npm: the accessibility check is left out" >&2; return 1; }
  fi
  printf '%s\n' "$place/package/axe.min.js"
}

# instead SUITE: what to do if Debian's package is unavailable.
instead() {
  if [[ -z $1 ]]; then
    echo "install Prometheus (apt-get install prometheus), or name its programs by TEST_PROMETHEUS and TEST_PROMTOOL"
  else
    echo "name a Prometheus 3 and its promtool by TEST_PROMETHEUS_3 and TEST_PROMTOOL_3"
  fi
}

# download PACKAGE FOLDER [SUITE], with the package lists of the system, or, for another SUITE and
# where those are missing or too old, with lists of our own, which need no root.
download() {
  local package=$1 folder=$2 suite=${3:-} lists
  local apt=(apt-get --quiet=2 -o APT::Sandbox::User="$(id -un)")
  echo "downloading the Debian package $package ${suite:+of $suite}"
  if [[ -z $suite ]] && (cd "$folder" && "${apt[@]}" download "$package"); then return 0; fi
  lists=$DEBIAN/apt/$suite
  echo "reading package lists into $lists"
  mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
  apt+=(-o Dir::State::Lists="$lists/lists" -o Dir::Cache="$lists/cache")
  if [[ -n $suite ]]; then
    if ! sources_of "$suite" "$lists"; then
      echo "no apt source of this machine is Debian's main archive: $(paste -sd ' ' <(apt_sources))"
      return 1
    fi
    apt+=(-o Dir::Etc::SourceList="$lists/sources.list" -o Dir::Etc::SourceParts="$lists/parts")
  fi
  # A source without such a suite is an error for `update`; the package may come from the others.
  "${apt[@]}" update || true
  (cd "$folder" && "${apt[@]}" download "$package")
}

# sources_of SUITE FOLDER: writes into FOLDER the machine's own apt sources of Debian's main
# archive with only the suite changed: address, keys and options stay. Fails if there is none.
sources_of() {
  local suite=$1 folder=$2 file
  rm -rf "$folder/sources.list" "$folder/parts"
  mkdir -p "$folder/parts"
  while read -r file; do
    case $file in
      *.list) lines_of "$suite" "$file" >>"$folder/sources.list" ;;
      *.sources) stanzas_of "$suite" "$file" >"$folder/parts/${file##*/}" ;;
    esac || return 1
  done < <(apt_sources)
  [[ -n $(cat "$folder/sources.list" "$folder/parts/"* 2>/dev/null) ]]
}

# The files in which this machine's apt has its sources.
apt_sources() {
  local list= parts= file
  eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
  for file in "$list" "${parts%/}"/*.list "${parts%/}"/*.sources; do
    if [[ -r $file && ! -d $file ]]; then printf '%s\n' "$file"; fi
  done
}

# Whether a suite is the whole of a release, and not its updates or its backports.
readonly IS_RELEASE='
  function is_release(suite) {
    return suite == codename || suite ~ /^(old)*stable$/ || suite ~ /^(testing|unstable|sid)$/
  }
  # A disc has only one release.
  function is_disc(uri) { return uri ~ /^cdrom:/ }
'

# lines_of SUITE FILE: the sources of FILE in the form of one line each, for SUITE.
lines_of() {
  awk -v suite="$1" -v codename="$(codename)" "$IS_RELEASE"'
    {
      sub(/#.*/, "")
      if (!match($0, /^[ \t]*deb([ \t]+\[[^]]*\])?[ \t]+/)) next
      head = substr($0, 1, RLENGTH)
      count = split(substr($0, RLENGTH + 1), word)
      if (is_disc(word[1]) || !is_release(word[2])) next
      for (i = 3; i <= count; i++) if (word[i] == "main") print head word[1], suite, "main"
    }
  ' "$2"
}

# stanzas_of SUITE FILE: the sources of FILE in the deb822 format, for SUITE.
stanzas_of() {
  awk -v suite="$1" -v codename="$(codename)" -v RS= "$IS_RELEASE"'
    # Whether one of the words of a field is requested.
    function has(field, wanted,    word, count, i) {
      count = split(value[field], word)
      for (i = 1; i <= count; i++)
        if (wanted == "a release" ? is_release(word[i]) : word[i] == wanted) return 1
      return 0
    }
    {
      split("", value)
      rest = ""
      field = ""
      count = split($0, line, "\n")
      for (i = 1; i <= count; i++) {
        if (line[i] ~ /^#/) continue
        text = line[i]
        # A line that begins with a space continues the previous field.
        if (text !~ /^[ \t]/) {
          field = tolower(substr(text, 1, index(text, ":") - 1))
          text = substr(text, index(text, ":") + 1)
        }
        value[field] = value[field] " " text
        if (field !~ /^(types|suites|components)$/) rest = rest line[i] "\n"
      }
      split(value["uris"], uri)
      if (!has("types", "deb") || !has("suites", "a release") || !has("components", "main")) next
      if (tolower(value["enabled"]) ~ /^[ \t]*(no|false|without|off|disable|0)[ \t]*$/) next
      if (is_disc(uri[1])) next
      printf "Types: deb\nSuites: %s\nComponents: main\n%s\n", suite, rest
    }
  ' "$2"
}

# The name of this machine's Debian release.
codename() {
  (
    VERSION_CODENAME=
    if [[ -r /etc/os-release ]]; then source /etc/os-release; fi
    printf '%s' "$VERSION_CODENAME"
  )
}
