# What is generated for the monitoring stack, by the tools that it is for. Sourced by tests/all.sh,
# after tests/debian.sh. What cannot be had is missing, by its name, and the rest is run.

# amtool comes with the Alertmanager.
amtool_path() {
  type -P amtool || echo "$DEBIAN/prometheus-alertmanager/usr/bin/amtool"
}

# Runs what needs a server with that of a SUITE.
with_prometheus_of() {
  local suite=$1 server tool package=prometheus
  # In the next release of Debian promtool is a package of its own.
  if [[ -n $suite ]]; then package=promtool; fi
  server=$(program prometheus prometheus "" "$suite") && tool=$(program promtool "$package" "" "$suite") || return "$MISSING"
  "$server" --version 2>&1 | sed -n 1p
  TEST_PROMETHEUS=$server TEST_PROMTOOL=$tool TEST_ALERTMANAGER=$manager TEST_AMTOOL=$(amtool_path) \
    run cargo test --locked --all-features --no-fail-fast --test assets -- --ignored
}

# kubernetes-validate and check-jsonschema, which has the schema of compose files, from PyPI.
python_tools() {
  [[ -x $1/py/bin/check-jsonschema ]] ||
    { python3 -m venv "$1/py" && "$1/py/bin/pip" install --quiet kubernetes-validate check-jsonschema; } >&2
}

# Types of Grafana and of the Prometheus operator, and a compiler that holds objects to them.
node_tools() {
  [[ -e $1/node_modules/typescript ]] ||
    npm install --prefix "$1" --silent --no-audit --no-fund --ignore-scripts \
      typescript@5 @grafana/schema @kubernetes-models/prometheus-operator js-yaml >&2
}

step_assets() {
  local place=$DEBIAN/../assets out file suite shellcheck status manager absent=() wrong=()
  mkdir -p "$place"
  out=$place/out
  rm -rf "$out"
  run cargo run --locked --quiet --all-features --example generate_assets -- --config tests/assets/shop.toml --out "$out" || return
  if shellcheck=$(program shellcheck shellcheck); then
    run "$shellcheck" "$out"/kubernetes/*.sh || wrong+=(shellcheck)
  else
    absent+=(shellcheck)
  fi
  if python_tools "$place"; then
    for file in base stack config; do
      run "$place/py/bin/kubernetes-validate" --strict --quiet "$out/kubernetes/$file.yaml" || wrong+=("kubernetes-validate $file.yaml")
    done
    run "$place/py/bin/check-jsonschema" --builtin-schema vendor.compose-spec "$out/compose/compose.yaml" || wrong+=(compose)
  else
    absent+=("kubernetes-validate and check-jsonschema of PyPI")
  fi
  if node_tools "$place"; then
    cp tests/assets/types.js "$place/types.js"
    (cd "$place" && run node types.js "$out" types.ts && run npx tsc --noEmit --strict --skipLibCheck \
      --module nodenext --moduleResolution nodenext --target es2022 types.ts) || wrong+=(tsc)
  else
    absent+=("typescript, @grafana/schema and @kubernetes-models/prometheus-operator of npm")
  fi
  if manager=$(alertmanager "${TEST_ALERTMANAGER:-}"); then
    for suite in "" testing; do
      status=0
      with_prometheus_of "$suite" || status=$?
      case $status in
        0) ;;
        "$MISSING") absent+=("Prometheus${suite:+ of Debian $suite}") ;;
        *) wrong+=("with the Prometheus of Debian ${suite:-here}") ;;
      esac
    done
  else
    absent+=(alertmanager)
  fi
  if ((${#wrong[@]})); then printf 'failed: %s\n' "${wrong[@]}"; return 1; fi
  if ((${#absent[@]})); then printf 'missing: %s\n' "${absent[@]}"; return "$MISSING"; fi
}
