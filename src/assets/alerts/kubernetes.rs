//! Alerts on pods, nodes and autoscalers, from kube-state-metrics, and on probes from outside.

use crate::assets::table::{Alert, AlertGroup};

pub(super) static KUBERNETES: AlertGroup = AlertGroup {
    name: "kubernetes",
    alerts: &[
        Alert {
            name: "PodCrashLooping",
            severity: "critical",
            hold: "5m",
            expr: "increase(kube_pod_container_status_restarts_total[15m]) > 1",
            summary: "{{ $labels.pod }} in {{ $labels.namespace }} is restarted again and again",
            description: "The container {{ $labels.container }} of {{ $labels.pod }} was restarted {{ $value | printf \"%.0f\" }} times in a quarter of an hour.",
            impact: "The pod serves only between restarts.",
            tried: "Kubernetes restarts it, more slowly each time.",
            steps: &[
                "`kubectl logs --previous` of the pod: the end of the previous process.",
                "`kubectl describe pod`: the exit code; 137 is the limit of memory.",
                "Roll back if it began with a deployment.",
            ],
            queries: &[
                "increase(kube_pod_container_status_restarts_total[1h])",
                "healing_exit_asked",
            ],
            test: &[
                "kube_pod_container_status_restarts_total{namespace=\"shop\",pod=\"a\",container=\"c\"} 0+1x60 3x60",
            ],
        },
        Alert {
            name: "PodNotReady",
            severity: "warning",
            hold: "5m",
            expr: "kube_pod_status_ready{condition=\"false\"} == 1",
            summary: "{{ $labels.pod }} in {{ $labels.namespace }} is not ready",
            description: "{{ $labels.pod }} in {{ $labels.namespace }} has not been ready for five minutes.",
            impact: "It gets no traffic; the others get more.",
            tried: "The engine heals what makes it not ready, as its policy allows.",
            steps: &[
                "Ask `/readyz` of the pod: it says what is not ready.",
                "`kubectl describe pod`: image, volumes, probes.",
            ],
            queries: &[
                "healing_not_ready",
                "kube_pod_status_ready{condition=\"true\"}",
            ],
            test: &[
                "kube_pod_status_ready{namespace=\"shop\",pod=\"a\",condition=\"false\"} 1x60 0x60",
            ],
        },
        Alert {
            name: "NodeNotReady",
            severity: "critical",
            hold: "5m",
            expr: "kube_node_status_condition{condition=\"Ready\",status=\"true\"} == 0",
            summary: "The node {{ $labels.node }} is not ready",
            description: "The node {{ $labels.node }} has not been ready for five minutes.",
            impact: "Its pods are moved elsewhere, if there is space.",
            tried: "Kubernetes evicts its pods after five minutes.",
            steps: &[
                "`kubectl describe node`: memory, disk, kubelet.",
                "Restart or replace the node.",
            ],
            queries: &["kube_node_status_condition{status=\"true\"}"],
            test: &[
                "kube_node_status_condition{node=\"n\",condition=\"Ready\",status=\"true\"} 0x60 1x60",
            ],
        },
        Alert {
            name: "AutoscalerAtLimit",
            severity: "warning",
            hold: "10m",
            expr: "kube_horizontalpodautoscaler_status_current_replicas >= kube_horizontalpodautoscaler_spec_max_replicas",
            summary: "{{ $labels.horizontalpodautoscaler }} cannot scale up",
            description: "For ten minutes {{ $labels.horizontalpodautoscaler }} in {{ $labels.namespace }} has had as many replicas as it may: {{ $value | printf \"%.0f\" }}.",
            impact: "More load makes it slower.",
            tried: "The autoscaler is at its limit.",
            steps: &[
                "See whether the load is real.",
                "Raise the limit, if the cluster has space.",
            ],
            queries: &["kube_horizontalpodautoscaler_status_current_replicas"],
            test: &[
                "kube_horizontalpodautoscaler_status_current_replicas{namespace=\"shop\",horizontalpodautoscaler=\"h\"} 5x60 2x60",
                "kube_horizontalpodautoscaler_spec_max_replicas{namespace=\"shop\",horizontalpodautoscaler=\"h\"} 5x60 5x60",
            ],
        },
        Alert {
            name: "ProbeFailed",
            severity: "critical",
            hold: "2m",
            expr: "probe_success == 0",
            summary: "{{ $labels.instance }} cannot be reached from outside",
            description: "The probe of {{ $labels.instance }} has failed for two minutes.",
            impact: "Users do not reach it, whatever its own metrics say.",
            tried: "Nothing: it is visible from outside only.",
            steps: &[
                "Compare with `up` of the same service: if that is 1, look at the network, names and certificates in between.",
            ],
            queries: &["probe_success", "up"],
            test: &["probe_success{job=\"probes\",instance=\"http://shop\"} 0x60 1x60"],
        },
    ],
};
