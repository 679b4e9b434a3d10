//! Evaluates unmodified Prometheus rule files: groups of recording and alerting rules, over the
//! process's own [`history`](crate::history).
//!
//! ```
//! use selfheal::rules::RuleFile;
//!
//! let file = RuleFile::parse("alerts.yml", r#"
//! groups:
//!   - name: shop
//!     rules:
//!       - alert: HighErrorRate
//!         expr: rate(http_requests_total{status="500"}[5m]) > 0.1
//!         for: 1m
//!         annotations:
//!           summary: "{{ $labels.path }} fails {{ $value | humanize }} times a second"
//! "#)?;
//! assert_eq!(&*file.groups[0].rules[0].name, "HighErrorRate");
//! # Ok::<(), selfheal::rules::RuleFileError>(())
//! ```
//!
//! An evaluation allocates nothing if no alert is active, no series comes or goes, and its
//! expressions have no other parts than: selectors, also with `offset`; functions of numbers and of
//! ranges; operators; `sum`, `avg`, `min`, `max`, `count`, `group`, `stddev`, `stdvar`, `topk` and
//! `bottomk`; `histogram_quantile` of classic buckets; `absent`, `absent_over_time` and `time`.
//! Expressions with subqueries, `@`, native histograms, ranges of recorded series, functions of whole
//! vectors such as `label_replace`, or ranges that with their offset have more than 272 samples are
//! evaluated as ad-hoc queries are.

mod alert;
mod context;
mod deliveries;
mod duration;
mod evaluator;
mod fault;
mod file;
mod for_state;
mod given;
mod indented;
mod options;
mod read;
mod recheck;
mod recorded;
mod report;
mod scope;
mod slo;
mod template;
mod texts;
pub(crate) mod yaml;

pub use alert::{AlertChange, AlertState, RuleAlert};
pub(crate) use deliveries::Deliveries;
pub use deliveries::{DeliveredAlert, Delivery};
pub use duration::{format_duration, parse_duration};
pub use evaluator::{Evaluator, GroupStatus, RuleHealth, RuleStatus};
pub use fault::{RuleFault, RuleFileError};
pub use file::{Alerting, FileRule, RuleFile, RuleGroup};
pub use for_state::ForState;
pub use options::RulesOptions;
pub use recheck::{Recheck, recheck};
pub use recorded::RuleSeries;
pub use report::{Report, ReportedRule};
pub use scope::{Measured, MeasuredLabels, Scope};
#[cfg(feature = "assets")]
pub(crate) use slo::BURNS;
pub use slo::Slo;
pub use template::Template;
pub use texts::ALERT_NAME;

#[cfg(test)]
mod tests;
