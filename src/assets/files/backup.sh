#!/usr/bin/env bash
# Backs up the samples of Prometheus and the dashboards to a folder: ./backup.sh FOLDER
# Each run creates a new folder in it; an incomplete one ends in .part.
set -euo pipefail

namespace=@namespace@
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-}
if [[ -z $folder ]]; then
  sed -n '2,3s/^# \{0,1\}//p' "$0"
  exit 2
fi
for tool in kubectl tar date; do
  if ! command -v "$tool" >/dev/null; then
    echo "$tool is missing: install it" >&2
    exit 1
  fi
done
pod=$(kubectl -n "$namespace" get pod -l app.kubernetes.io/name=prometheus \
  --field-selector=status.phase=Running -o 'jsonpath={.items[0].metadata.name}' 2>/dev/null || true)
if [[ -z $pod ]]; then
  echo "no Prometheus runs in the namespace $namespace of the cluster that kubectl points at" >&2
  exit 1
fi
name=$(date -u +%Y-%m-%dT%H-%M-%SZ)
mkdir -p "$folder/$name.part"
# Blocks do not change once they are written; samples of the last two hours are in the log and come
# with it.
kubectl -n "$namespace" exec "$pod" -c prometheus -- tar -C /prometheus -cf - . >"$folder/$name.part/prometheus.tar" || {
  # tar returns 1 if a file changed while it was read, as the head of the log does.
  status=$?
  if ((status != 1)); then exit "$status"; fi
}
tar -tf "$folder/$name.part/prometheus.tar" >/dev/null
tar -C "$here/.." -cf "$folder/$name.part/dashboards.tar" grafana
mv "$folder/$name.part" "$folder/$name"
echo "$folder/$name"
