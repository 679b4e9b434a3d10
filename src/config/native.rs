//! `[metrics.family.NAME.native]`.

use super::faults::Faults;
use super::range::check_range;
use crate::catalog::Native;

pub(super) fn check(native: &Native, faults: &mut Faults) {
    if !(native.growth.is_finite() && native.growth > 1.0) {
        let problem = format!("{} is not a number above 1", native.growth);
        let hint = "give the factor from one bound to the next, such as 1.1";
        faults.add("growth", problem, hint);
    }
    let hint = "give a limit in that range, or `enabled = false`";
    check_range(
        "max_buckets",
        &native.max_buckets,
        &Native::BUCKETS,
        hint,
        faults,
    );
    for (field, threshold) in [
        ("zero_threshold", native.zero_threshold),
        ("max_zero_threshold", native.max_zero_threshold),
    ] {
        if !(threshold.is_finite() && threshold >= 0.0) {
            let problem = format!("{threshold} is not a number of 0 or above");
            faults.add(field, problem, "give the distance from zero, or 0");
        }
    }
}
