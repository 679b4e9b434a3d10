#!/usr/bin/env bash
# Backs up the samples of Prometheus and the dashboards to a folder: ./backup.sh FOLDER
# Each run makes a folder of its own in it; one that is not complete ends in .part.
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
# Blocks do not change once they are written; what is newer than two hours is in the log and comes
# with it.
kubectl -n "$namespace" exec "$pod" -c prometheus -- tar -C /prometheus -cf - . >"$folder/$name.part/prometheus.tar" || {
  # tar says 1 where a file changed while it was read: the head of the log does.
  status=$?
  if ((status != 1)); then exit "$status"; fi
}
tar -tf "$folder/$name.part/prometheus.tar" >/dev/null
tar -C "$here/.." -cf "$folder/$name.part/dashboards.tar" grafana
mv "$folder/$name.part" "$folder/$name"
echo "$folder/$name"
