//! Compensated summation.

/// Adds to a sum and its compensation (Neumaier's variant).
pub(crate) fn add(value: f64, (sum, compensation): (f64, f64)) -> (f64, f64) {
    let total = sum + value;
    if total.is_infinite() {
        return (total, 0.0);
    }
    let lost = if sum.abs() >= value.abs() {
        (sum - total) + value
    } else {
        (value - total) + sum
    };
    (total, compensation + lost)
}

/// A compensated mean, which does not overflow if the sum does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    count: f64,
    sum: (f64, f64),
    /// Whether `sum` is the mean itself.
    incremental: bool,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let next = add(value, self.sum);
            if !next.0.is_infinite() || self.count <= 1.0 {
                self.sum = next;
                return;
            }
            self.incremental = true;
            let before = self.count - 1.0;
            self.sum = (self.sum.0 / before, self.sum.1 / before);
        }
        let kept = (self.count - 1.0) / self.count;
        self.sum = add(value / self.count, (kept * self.sum.0, kept * self.sum.1));
    }

    pub(crate) fn add_to_sum(&mut self, value: f64) {
        self.count += 1.0;
        self.sum = add(value, self.sum);
    }

    pub(crate) fn sum(&self) -> f64 {
        self.sum.0 + self.sum.1
    }

    pub(crate) fn mean(&self) -> f64 {
        if self.incremental {
            return self.sum.0 + self.sum.1;
        }
        self.sum.0 / self.count + self.sum.1 / self.count
    }
}
