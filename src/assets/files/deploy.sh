#!/usr/bin/env bash
# Deploys the stack to the current cluster of kubectl. It can be run again, and then updates
# the existing resources.
#
#   ./deploy.sh             with a Prometheus of its own
#   ./deploy.sh --operator  for a cluster with the Prometheus operator
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

namespace=@namespace@
operator=no
case "${1:-}" in
  "") ;;
  --operator) operator=yes ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

need() {
  printf '%s\n' "$1" >&2
  problems=$((problems + 1))
}

problems=0
if ! command -v kubectl >/dev/null; then
  need "kubectl is missing: install it, see https://kubernetes.io/docs/tasks/tools/"
elif ! kubectl version --request-timeout=10s >/dev/null 2>&1; then
  need "kubectl reaches no cluster: see 'kubectl config get-contexts'"
else
  if ! kubectl auth can-i create clusterroles >/dev/null 2>&1; then
    need "you may not create cluster roles: ask for the rights, or have someone run this who has them"
  fi
  if [[ $operator == yes ]] && ! kubectl get crd servicemonitors.monitoring.coreos.com >/dev/null 2>&1; then
    need "the Prometheus operator is not in this cluster: leave --operator out"
  fi
fi
secret=${GRAFANA_ADMIN_PASSWORD_FILE:-}
if [[ -n $secret && ! -s $secret ]]; then
  need "GRAFANA_ADMIN_PASSWORD_FILE names no file with a password: $secret"
fi
if ((problems)); then
  echo "nothing was changed" >&2
  exit 1
fi

kubectl apply -f base.yaml
if ! kubectl -n "$namespace" get secret grafana-secrets >/dev/null 2>&1; then
  if [[ -z $secret ]]; then
    echo "Grafana needs a password for its administrator: write one to a file and name it by" >&2
    echo "GRAFANA_ADMIN_PASSWORD_FILE. Nothing but the namespace and the application was changed." >&2
    exit 1
  fi
  kubectl -n "$namespace" create secret generic grafana-secrets --from-file=admin-password="$secret"
fi
kubectl apply --server-side --force-conflicts -f config.yaml
kubectl apply -f stack.yaml
if [[ $operator == yes ]]; then
  kubectl apply -f operator.yaml -f operator-rules.yaml
fi
for name in prometheus alertmanager grafana; do
  kubectl -n "$namespace" rollout restart "deployment/$name"
  kubectl -n "$namespace" rollout status "deployment/$name" --timeout=300s
done
echo "the stack runs; to see it: kubectl -n $namespace port-forward service/grafana 3000"
