//! Alerts on models, and on the anomalies that they find.

use crate::assets::table::{Alert, AlertGroup};

pub(super) static MODELS: AlertGroup = AlertGroup {
    name: "models",
    alerts: &[
        Alert {
            name: "ModelAccuracyLow",
            severity: "warning",
            hold: "5m",
            expr: "ml_model_accuracy < 0.85",
            summary: "The model {{ $labels.model }} has an accuracy of {{ $value | humanizePercentage }}",
            description: "The accuracy of the model {{ $labels.model }} has been below 85 % for five minutes; now it is {{ $value | humanizePercentage }}.",
            impact: "Its answers are unreliable, and actions based on them are wrong more often.",
            tried: "The policy's minimum confidence holds back actions whose model is unsure.",
            steps: &[
                "Compare current data with the training data of the model.",
                "Retrain it, or go back to the previous version.",
            ],
            queries: &["ml_model_accuracy", "increase(ml_training_runs_total[1d])"],
            test: &["ml_model_accuracy{job=\"shop\",model=\"m\"} 0.7x60 0.9x60"],
        },
        Alert {
            name: "ModelFalsePositives",
            severity: "warning",
            hold: "5m",
            expr: "ml_false_positive_rate > 0.15",
            summary: "{{ $value | humanizePercentage }} of the alarms of {{ $labels.model }} are false",
            description: "More than 15 % of the alarms of the model {{ $labels.model }} have been false for five minutes; now it is {{ $value | humanizePercentage }}.",
            impact: "People and actions are called for nothing.",
            tried: "A fault is acted on only when several detection runs confirm it.",
            steps: &[
                "Raise the threshold of the model.",
                "Retrain it on the false alarms.",
            ],
            queries: &["ml_false_positive_rate"],
            test: &["ml_false_positive_rate{job=\"shop\",model=\"m\"} 0.3x60 0.05x60"],
        },
        Alert {
            name: "AnomalyDetected",
            severity: "warning",
            hold: "",
            expr: "sum by (job, anomaly_type) (increase(anomalies_detected_total[5m])) > 0",
            summary: "An anomaly in {{ $labels.job }}: {{ $labels.anomaly_type }}",
            description: "{{ $value | printf \"%.0f\" }} anomalies of type {{ $labels.anomaly_type }} were found in {{ $labels.job }} in five minutes.",
            impact: "None yet; it is a sign of what may come.",
            tried: "An anomaly that has an action is healed by the engine.",
            steps: &[
                "See what was unusual at that time.",
                "If it was nothing, mark the alarm as false.",
            ],
            queries: &["sum by (anomaly_type, severity) (increase(anomalies_detected_total[1h]))"],
            test: &[
                "anomalies_detected_total{job=\"shop\",instance=\"a\",anomaly_type=\"load\",severity=\"warning\"} 0+1x60 0+0x60",
            ],
        },
        Alert {
            name: "AnomalyRateHigh",
            severity: "critical",
            hold: "2m",
            expr: "sum by (job) (rate(anomalies_detected_total[$w])) > 0.1",
            summary: "{{ $value | printf \"%.2f\" }} anomalies a second in {{ $labels.job }}",
            description: "For two minutes more than one anomaly in ten seconds has been found in {{ $labels.job }}; now it is {{ $value | printf \"%.2f\" }} a second.",
            impact: "The service is about to fail, or the detector does.",
            tried: "Each anomaly that has an action is healed by the engine.",
            steps: &[
                "See which types they are of.",
                "Compare with the load and the last deployment.",
            ],
            queries: &["topk(5, sum by (anomaly_type) (rate(anomalies_detected_total[$w])))"],
            test: &[
                "anomalies_detected_total{job=\"shop\",instance=\"a\",anomaly_type=\"load\",severity=\"warning\"} 0+30x60 0+1x60",
            ],
        },
    ],
};
