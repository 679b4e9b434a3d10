#!/usr/bin/env bash
# The whole proof of this crate, in one command:
#
#   tests/all.sh                 every step
#   tests/all.sh fmt clippy      only these
#   tests/all.sh --list          what there is
#
# A failed step does not stop the ones after it. The exit status is 0 only if all passed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly STEPS=(fmt clippy test prometheus prometheus3 protobuf features docs release)
declare -rA ABOUT=(
  [fmt]="the format is rustfmt's"
  [clippy]="no warning in any target, all features on"
  [test]="unit, integration and doc tests, all features on"
  [prometheus]="the tests that need a real Prometheus server and promtool (ignored by a plain cargo test)"
  [prometheus3]="those of them that read pages, and more, with the Prometheus 3 of Debian's next release"
  [protobuf]="the bridges to the prometheus crate, with its feature protobuf switched on elsewhere"
  [features]="each feature alone, and none: no warning, unit tests pass"
  [docs]="rustdoc without a warning, all features on"
  [release]="the storefront example with the default features, optimised"
)
DEBIAN=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}/debian")
readonly DEBIAN
# What a step returns for which something is missing here that it can do without.
readonly MISSING=77
# A step whose command hangs must not hang the whole run.
readonly COMMAND_LIMIT_SECONDS=1200

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

list() {
  local name
  for name in "${STEPS[@]}"; do printf '%-11s %s\n' "$name" "${ABOUT[$name]}"; done
}

# Shows a command and runs it, bounded in time. Without a terminal the limit ends the whole
# process group, so that servers which a test started end too.
run() {
  local foreground=()
  if [[ -t 0 ]]; then foreground=(--foreground); fi
  printf '+ %s\n' "$*"
  timeout "${foreground[@]}" --kill-after=10 "$COMMAND_LIMIT_SECONDS" "$@"
}

step_fmt() {
  run cargo fmt --all --check
}

step_clippy() {
  run cargo clippy --locked --workspace --all-features --all-targets -- -D warnings
}

step_test() {
  run cargo test --locked --all-features --no-fail-fast
}

step_prometheus() {
  local server tool
  server=$(program prometheus prometheus "${SELFHEAL_PROMETHEUS:-}")
  tool=$(program promtool prometheus "${SELFHEAL_PROMTOOL:-}")
  "$server" --version 2>&1 | sed -n 1p
  # `--tests`: a doc example marked `ignore` is not a test that waits for a server.
  SELFHEAL_PROMETHEUS=$server SELFHEAL_PROMTOOL=$tool \
    run cargo test --locked --all-features --no-fail-fast --tests -- --ignored --skip prometheus_3
}

# What the next release of Debian has changes without notice: if it cannot be had, or does not run
# here, that is said and is no failure.
step_prometheus3() {
  local server tool
  server=$(program prometheus prometheus "${SELFHEAL_PROMETHEUS_3:-}" testing) &&
    tool=$(program promtool promtool "${SELFHEAL_PROMTOOL_3:-}" testing) || return "$MISSING"
  "$server" --version 2>&1 | sed -n 1p
  SELFHEAL_PROMETHEUS=$server SELFHEAL_PROMTOOL=$tool \
    run cargo test --locked --all-features --no-fail-fast \
    --test encode --test harness --test collect -- --ignored
}

# A package of its own, since features are decided once for a whole build.
step_protobuf() {
  run cargo test --manifest-path tests/protobuf/Cargo.toml \
    --target-dir "${CARGO_TARGET_DIR:-target}/protobuf"
}

# Clippy rather than `cargo check`: what only another feature uses is dead code here, and denied.
# It builds the library without the dev-dependencies, whose features would hide a missing one.
step_features() {
  local name names failed=()
  names=$(feature_names)
  for name in "" $names; do
    printf '\n-- %s\n' "${name:-no feature}"
    run cargo clippy --locked --quiet --no-default-features --features "$name" --lib -- -D warnings &&
      run cargo test --locked --quiet --no-default-features --features "$name" --lib ||
      failed+=("${name:-none}")
  done
  if ((${#failed[@]})); then
    printf '\nfails with this feature alone: %s\n' "${failed[*]}"
    return 1
  fi
}

step_docs() {
  RUSTDOCFLAGS="-D warnings" run cargo doc --locked --all-features --no-deps
}

step_release() {
  if [[ ! -e examples/storefront.rs && ! -d examples/storefront ]]; then
    echo "there is no storefront example"
    return 0
  fi
  run cargo build --locked --release --example storefront
}

# The features as cargo sees them, `default` among them.
feature_names() {
  local names
  names=$(cargo metadata --locked --no-deps --format-version 1 |
    grep -oE '"features":\{[^}]*\}' | grep -oE '"[^"]+":\[' | tr -d '":[')
  if [[ -z $names ]]; then
    echo "cargo metadata names no feature: mend feature_names in tests/all.sh" >&2
    return 1
  fi
  printf '%s\n' "$names"
}

# program NAME PACKAGE [PATH [SUITE]]: prints where program NAME is: PATH if given, else on $PATH
# unless it is to be of a SUITE, else in Debian's PACKAGE, which is unpacked under target/ once.
# Says what to install if it cannot.
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

# bring PACKAGE [SUITE]: unpacks a Debian package under target/debian: no root, no change to the
# system.
bring() {
  local package=$1 suite=${2:-} place=$DEBIAN/${2:-}/$1 tool
  if [[ -d $place ]]; then return 0; fi
  for tool in apt-get dpkg-deb; do
    if ! command -v "$tool" >/dev/null; then
      echo "$package is missing and there is no $tool to unpack it with: install the package $package (Debian, Ubuntu) or its equal"
      return 1
    fi
  done
  rm -rf "$place.new"
  mkdir -p "$place.new/deb" "$place.new/root"
  if ! download "$package" "$place.new/deb" "$suite"; then
    echo "cannot download the Debian package $package: install it (apt-get install $package) and run this again"
    return 1
  fi
  dpkg-deb -x "$place.new/deb/"*.deb "$place.new/root" || return 1
  mv "$place.new/root" "$place"
  rm -rf "$place.new"
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
    echo "deb http://deb.debian.org/debian $suite main" >"$lists/sources.list"
    apt+=(-o Dir::Etc::SourceList="$lists/sources.list" -o Dir::Etc::SourceParts=-)
  fi
  "${apt[@]}" update && (cd "$folder" && "${apt[@]}" download "$package")
}

chosen=()
for argument in "$@"; do
  case $argument in
    -h | --help) usage; echo; list; exit 0 ;;
    --list) list; exit 0 ;;
    *)
      if [[ -z ${ABOUT[$argument]:-} ]]; then
        printf 'there is no step %q; the steps are:\n' "$argument" >&2
        list >&2
        exit 2
      fi
      chosen+=("$argument")
      ;;
  esac
done
if ((${#chosen[@]} == 0)); then chosen=("${STEPS[@]}"); fi

table="" passed=0 missing=0 failed=0 begin=$SECONDS
for name in "${chosen[@]}"; do
  printf '\n==== %s: %s\n' "$name" "${ABOUT[$name]}"
  start=$SECONDS
  # Not in a condition: bash ignores `set -e` inside one.
  (set -e; "step_$name")
  status=$?
  took=$((SECONDS - start))
  case $status in
    0) result=ok passed=$((passed + 1)) ;;
    "$MISSING") result=missing missing=$((missing + 1)) ;;
    *) result=FAILED failed=$((failed + 1)) ;;
  esac
  printf '==== %s: %s after %d s\n' "$name" "$result" "$took"
  table+=$(printf '%-11s %-7s %5d s' "$name" "$result" "$took")$'\n'
done

printf '\n%s%-11s %-7s %5d s\n\n' "$table" total "" $((SECONDS - begin))
echo "$passed passed, $failed failed, $missing could not be run here"
((failed == 0))
