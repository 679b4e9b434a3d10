#!/usr/bin/env bash
# The whole proof of this crate, in one command:
#
#   tests/all.sh                 every step
#   tests/all.sh fmt clippy      only these
#   tests/all.sh --list          lists the steps
#
# A failed step does not stop the ones after it. The exit status is 0 only if all passed.
#
# The Prometheus programs come from $PATH, else from Debian's packages. Others can be named by
# TEST_PROMETHEUS, TEST_PROMTOOL, TEST_ALERTMANAGER, TEST_PROMETHEUS_3 and TEST_PROMTOOL_3.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly STEPS=(fmt clippy test prometheus prometheus3 browser assets protobuf features docs release)
declare -rA ABOUT=(
  [fmt]="the format is rustfmt's"
  [clippy]="no warning in any target, all features on"
  [test]="unit, integration and doc tests, all features on"
  [prometheus]="the tests that need a real Prometheus server, promtool and Alertmanager (ignored by a plain cargo test)"
  [prometheus3]="those of them that read pages, and more, with the Prometheus 3 of Debian's next release"
  [browser]="the page in a headless Chromium, with an accessibility check"
  [assets]="what is generated for the monitoring stack, by the tools that it is for"
  [protobuf]="the bridges to the prometheus crate, with its feature protobuf switched on elsewhere"
  [features]="each feature alone, and none: no warning; unit tests of what stands in for a missing one"
  [docs]="rustdoc without a warning, all features on"
  [release]="the storefront example by the command of the README, optimised"
)
# shellcheck source=tests/debian.sh
source tests/debian.sh
# shellcheck source=tests/assets/tools.sh
source tests/assets/tools.sh
# The exit status of a step for which something optional is missing here.
readonly MISSING=77
# A step whose command hangs must not hang the whole run.
readonly COMMAND_LIMIT_SECONDS=1200
# What a whole run from nothing writes under target/, in GB, and some to spare.
readonly DISK_GB=9
# The number of lines of a failed step that are shown again at the end.
readonly LINES_AGAIN=60

# Intermediate results of the compiler that speed up the next build: two thirds of all bytes that are written
# here, which a run from nothing never reads.
export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}

usage() {
  sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
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

# The benchmarks separately: one of the peers enables the feature `protobuf` of the crate
# `prometheus`, which then has other types.
step_clippy() {
  run cargo clippy --locked --all-features --all-targets -- -D warnings &&
    run cargo clippy --locked --package selfheal-benches --all-targets -- -D warnings
}

step_test() {
  run cargo test --locked --all-features --no-fail-fast
}

step_prometheus() {
  local server tool alerts without=()
  server=$(program prometheus prometheus "${TEST_PROMETHEUS:-}")
  tool=$(program promtool prometheus "${TEST_PROMTOOL:-}")
  # Without it, the tests that need it are skipped, with the reason.
  alerts=$(alertmanager "${TEST_ALERTMANAGER:-}") || without=(--skip real_alertmanager)
  "$server" --version 2>&1 | sed -n 1p
  # `--tests`: a doc example marked `ignore` is not a test that waits for a server.
  TEST_PROMETHEUS=$server TEST_PROMTOOL=$tool TEST_ALERTMANAGER=$alerts \
    run cargo test --locked --all-features --no-fail-fast --tests -- --ignored --skip prometheus_3 --skip chromium_ "${without[@]}"
}

# The packages of the next Debian change without notice: if they are unavailable, or do not run here,
# that is reported and is not a failure.
step_prometheus3() {
  local server tool
  server=$(program prometheus prometheus "${TEST_PROMETHEUS_3:-}" testing) &&
    tool=$(program promtool promtool "${TEST_PROMTOOL_3:-}" testing) || return "$MISSING"
  "$server" --version 2>&1 | sed -n 1p
  TEST_PROMETHEUS=$server TEST_PROMTOOL=$tool \
    run cargo test --locked --all-features --no-fail-fast \
    --test encode --test harness --test collect --test promql -- --ignored
}

# Chromium consists of many packages: an installed one is used, else Debian's packages, unpacked under
# target/. If it does not open a page here, it counts as missing. axe-core comes from npm; without it,
# only the accessibility check is skipped, which is reported.
step_browser() {
  local root chromium driver axe libraries
  run cargo test --locked --all-features --test browser --no-run || return
  if ! { chromium=$(command -v chromium) && driver=$(command -v chromedriver); }; then
    root=$(browser) || return "$MISSING"
    # apt lists no packages that are installed already.
    chromium=$root/usr/lib/chromium/chromium driver=$root/usr/bin/chromedriver
    if [[ ! -e $chromium ]]; then chromium=$(command -v chromium) || return "$MISSING"; fi
    if [[ ! -e $driver ]]; then driver=$(command -v chromedriver) || return "$MISSING"; fi
    libraries=$(find "$root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
    export LD_LIBRARY_PATH=$libraries
    if [[ -d $root/etc/fonts ]]; then export FONTCONFIG_PATH=$root/etc/fonts; fi
  fi
  opens_a_page "$chromium" "$driver" || return "$MISSING"
  if axe=$(axe_core); then export TEST_AXE=$axe; fi
  TEST_CHROMIUM=$chromium TEST_CHROMEDRIVER=$driver \
    run cargo test --locked --all-features --no-fail-fast --test browser -- --ignored --test-threads 1
}

# A package of its own, since features are unified over a whole build. It uses the versions of our
# lock file and our target folder, so that shared dependencies are built once.
step_protobuf() {
  cp Cargo.lock tests/protobuf/Cargo.lock
  run cargo test --manifest-path tests/protobuf/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}"
}

# The stand-ins for missing features (`tsc`, `trace-exemplars`, `tracing`) are compiled with these,
# and not with all features; every other module is the same with all, where its tests are run.
readonly TESTED_ALONE=("" http grpc healing)

# Clippy rather than `cargo check`: code that only another feature uses is dead here, and denied.
# It builds the library without the dev-dependencies, whose features would hide a missing one.
step_features() {
  local name names failed=()
  names=$(feature_names)
  for name in "" $names; do
    printf '\n-- %s\n' "${name:-no feature}"
    run cargo clippy --locked --quiet --package selfheal --no-default-features --features "$name" --lib -- -D warnings ||
      failed+=("clippy: ${name:-none}")
  done
  for name in "${TESTED_ALONE[@]}"; do
    printf '\n-- %s, tested\n' "${name:-no feature}"
    # The models of these two take most of the time and depend on no feature.
    run cargo test --locked --quiet --package selfheal --no-default-features --features "$name" --lib -- \
      --skip registry:: --skip healing::core::state:: ||
      failed+=("test: ${name:-none}")
  done
  if ((${#failed[@]})); then
    printf '\nfails with this feature alone: %s\n' "${failed[@]}"
    return 1
  fi
}

step_docs() {
  RUSTDOCFLAGS="-D warnings" run cargo doc --locked --package selfheal --all-features --no-deps
}

step_release() {
  run cargo build --locked --release --example storefront
}

# The features as cargo lists them, including `default`.
feature_names() {
  local names
  names=$(cargo metadata --locked --no-deps --format-version 1 |
    grep -oE '"features":\{[^}]*\}' | grep -oE '"[^"]+":\[' | tr -d '":[')
  if [[ -z $names ]]; then
    echo "cargo metadata names no feature: repair feature_names in tests/all.sh" >&2
    return 1
  fi
  printf '%s\n' "$names"
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

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
free=$(df --output=avail --block-size=1G "$target" | tail -n 1 | tr -d ' ')
if ((free < DISK_GB)); then
  echo "$free GB are free for $target, a run from nothing takes up to $DISK_GB GB" >&2
fi

table="" again="" passed=0 missing=0 failed=0 begin=$SECONDS
output=$(mktemp)
trap 'rm -f "$output"' EXIT
for name in "${chosen[@]}"; do
  printf '\n==== %s: %s\n' "$name" "${ABOUT[$name]}"
  start=$SECONDS
  # Not in a condition: bash ignores `set -e` inside one.
  (set -e; "step_$name") 2>&1 | tee "$output"
  status=${PIPESTATUS[0]}
  took=$((SECONDS - start))
  case $status in
    0) result=ok passed=$((passed + 1)) ;;
    "$MISSING") result=missing missing=$((missing + 1)) ;;
    *)
      result=FAILED failed=$((failed + 1))
      again+=$(printf '\n==== %s failed; its last lines again:\n' "$name"; tail -n "$LINES_AGAIN" "$output")$'\n'
      ;;
  esac
  printf '==== %s: %s after %d s\n' "$name" "$result" "$took"
  table+=$(printf '%-11s %-7s %5d s' "$name" "$result" "$took")$'\n'
done

printf '%s' "$again"
printf '\n%s%-11s %-7s %5d s\n\n' "$table" total "" $((SECONDS - begin))
echo "$passed passed, $failed failed, $missing could not be run here"
((failed == 0))
