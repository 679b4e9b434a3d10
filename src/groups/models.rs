use crate::track::Outcome;

/// Buckets from a second to a week.
const TRAINING: [f64; 10] = [
    1.0, 10.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0, 259_200.0, 604_800.0,
];

crate::group! {
    /// The metrics of models.
    pub struct ModelMetrics: "models" {
        /// Share of a model's answers that are right, 0 to 1
        pub accuracy: FloatGauge = "ml_model_accuracy" ["model"] .at_most("model", 200);
        /// Share of a model's alarms that are false, 0 to 1
        pub false_positives: FloatGauge = "ml_false_positive_rate" ["model"] .at_most("model", 200);
        /// Time an inference took
        pub inference: Histogram = "ml_inference_duration_seconds" ["model"] .at_most("model", 200);
        /// Training runs, by how they ended
        pub runs: Counter = "ml_training_runs_total" ["model", "status"] .at_most("model", 200) .only("status", &Outcome::STATUSES);
        /// Time a training run took
        pub training: Histogram = "ml_training_duration_seconds" ["model"] .at_most("model", 200) .buckets(&TRAINING);
        /// Loss of the last training run
        pub loss: FloatGauge = "ml_training_loss" ["model"] .at_most("model", 200);
    }
}

crate::tracker! {
    /// An inference: timed, however it ends.
    pub struct InferenceRun: Inference(model) in ModelMetrics {
        ended(metrics, outcome, took) { metrics.inference.observe(&(model,), took.as_secs_f64()); }
    }
}

crate::tracker! {
    /// A training run of a model: counted by outcome and timed.
    pub struct TrainingRun: Training(model) in ModelMetrics {
        ended(metrics, outcome, took) {
            metrics.runs.inc(&(model, outcome.status()));
            metrics.training.observe(&(model,), took.as_secs_f64());
        }
    }
}

impl TrainingRun {
    /// Sets the current loss of the run.
    pub fn loss(&self, loss: f64) {
        self.record(|metrics, [model]| metrics.loss.set(&(model,), loss));
    }
}
