use std::time::Duration;

use crate::util::Clock;

/// How a query is evaluated, and how much it may take.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryOptions {
    /// How far back an instant selector looks for the newest sample. Default: 5 min.
    pub lookback: Duration,
    /// The step of subqueries that have none. Default: 1 min.
    pub subquery_step: Duration,
    /// How many series a query may read, over all its selectors. Default: 100,000.
    pub max_series: usize,
    /// How many samples a query may read and hold. Default: 10,000,000.
    pub max_samples: usize,
    /// How many steps a range query, or one of its subqueries, may have. Default: 11,000.
    pub max_steps: usize,
    /// How long a query may take, by `clock`. Default: 10 s.
    pub timeout: Duration,
    /// Measures the time that a query takes; not the time that it asks about. Default: that of
    /// the machine.
    pub clock: Clock,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            lookback: Duration::from_secs(300),
            subquery_step: Duration::from_secs(60),
            max_series: 100_000,
            max_samples: 10_000_000,
            max_steps: 11_000,
            timeout: Duration::from_secs(10),
            clock: Clock::system(),
        }
    }
}
