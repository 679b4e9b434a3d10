use std::time::Duration;

use crate::util::Clock;

/// The options and limits of a query.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryOptions {
    /// How far back an instant selector finds the newest sample. Default: 5 min.
    pub lookback: Duration,
    /// The step of subqueries that set none. Default: 1 min.
    pub subquery_step: Duration,
    /// The limit of series that a query reads, over all selectors. Default: 100,000.
    pub max_series: usize,
    /// The limit of samples that a query reads and holds. Default: 10,000,000.
    pub max_samples: usize,
    /// The limit of steps of a range query or a subquery. Default: 11,000.
    pub max_steps: usize,
    /// The time limit of a query, measured by `clock`. Default: 10 s.
    pub timeout: Duration,
    /// The clock of the time limit; not the time of the evaluation. Default: the system's.
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
