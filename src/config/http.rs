//! Settings of the HTTP layer.

use super::faults::{Faults, quote};
use super::range::{check_buckets, check_range};
use super::settings::settings;

/// A limit, since each request is compared with every pattern.
const MAX_PATTERNS: usize = 256;
const MAX_PATTERN: usize = 1_024;

settings! {
    /// `[http]`: the requests that the HTTP layer records, and their buckets.
    #[non_exhaustive]
    pub struct Http {
        /// The paths that are not recorded: `/health` is that path, `/internal/*` every path that
        /// starts with `/internal/`; `*` matches any text. Default: none besides
        /// [`exclude_endpoints`](Self::exclude_endpoints).
        pub exclude(): Vec<String>,
        /// Whether the crate's own endpoints are excluded too: the metrics and health paths, and
        /// the routes of the handle's router wherever it is nested, including the page. Default:
        /// `true`.
        pub exclude_endpoints: bool = true,
        /// The share of requests whose duration is recorded, 0 to 1; counters count every request.
        /// Default: 1.
        pub sample_rate: f64 = 1.0,
        /// The bucket bounds of durations and times to first byte, in seconds. Default: .005, .01,
        /// .025, .05, .1, .25, .5, 1, 2.5, 5 and 10, as in the client libraries of Prometheus.
        pub buckets(): Vec<f64> = vec![
                0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ],
    }
}

impl Http {
    /// Adds a path that is not recorded, `/health`, or many, `/internal/*`. Default: none besides
    /// the crate's own endpoints.
    #[must_use]
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.exclude.push(pattern.into());
        self
    }

    /// Sets the bucket bounds of durations and times to first byte, in seconds, ascending, without
    /// `+Inf`. Default: .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10.
    #[must_use]
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = bounds.into_iter().collect();
        self
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        if self.exclude.len() > MAX_PATTERNS {
            faults.add(
                "exclude",
                format!(
                    "{} patterns are more than {MAX_PATTERNS}",
                    self.exclude.len()
                ),
                "use `/…/*` for all paths below one",
            );
        }
        faults.within_each("exclude", &self.exclude, |faults, _, pattern| {
            check_pattern(pattern, faults);
        });
        let hint = "give the share of requests to record";
        check_range("sample_rate", &self.sample_rate, &(0.0..=1.0), hint, faults);
        check_buckets("buckets", &self.buckets, faults);
    }
}

fn check_pattern(pattern: &str, faults: &mut Faults) {
    let shown = quote(pattern);
    if pattern.len() > MAX_PATTERN {
        let problem = format!("{} bytes are more than {MAX_PATTERN}", pattern.len());
        faults.add("", problem, "give a shorter pattern");
    } else if !pattern.starts_with('/') {
        let problem = format!("{shown} does not start with `/`");
        faults.add(
            "",
            problem,
            "write a path such as `/health` or `/internal/*`",
        );
    } else if pattern.contains(|c: char| c == '?' || c == '#' || c.is_whitespace()) {
        let problem = format!("{shown} is more than a path");
        faults.add("", problem, "leave out the query and all spaces");
    }
}
