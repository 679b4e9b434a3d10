//! The identities, checked on a metrics page: by an operator, a test, or a script, from
//! nothing but what was scraped.

use std::fmt;

use super::expose::name;
use crate::util::escape;

/// What does not add up on a page, or is not on it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PageFault {
    /// The page lacks a metric that the identities need.
    Missing {
        /// The name that was looked for.
        name: String,
    },
    /// The two sides of an identity differ.
    Differs {
        /// Which identity, in words.
        identity: &'static str,
        /// Its left side.
        left: f64,
        /// Its right side.
        right: f64,
    },
}

impl fmt::Display for PageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => write!(f, "{name} is not on the page"),
            Self::Differs {
                identity,
                left,
                right,
            } => write!(f, "{identity}: {left} ≠ {right}"),
        }
    }
}

/// Each identity: in words, the metrics of its left side, those of its right side.
const IDENTITIES: [(&str, &[&str], &[&str]); 3] = [
    (
        "observations = opened + coalesced + muted + dropped",
        &[name::OBSERVATIONS],
        &[name::OBSERVATION_RESULTS],
    ),
    (
        "opened + restored = closed + open",
        &[name::OPENED, name::RESTORED],
        &[name::CLOSED, name::OPEN],
    ),
    (
        "attempts started = finished + running",
        &[name::STARTED],
        &[name::FINISHED, name::RUNNING],
    ),
];

/// Checks the identities of the healing core on a page in either text format; `namespace` is
/// the one that goes before its names, empty for none.
///
/// ```
/// use std::sync::Arc;
/// use selfheal::config::HealingPolicy;
/// use selfheal::encode::{Format, append};
/// use selfheal::healing::{State, check_page, expose};
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), selfheal::registry::DeclareError> {
/// let registry = Registry::new();
/// let state = State::new(Arc::new(HealingPolicy::default()), 1);
/// expose(&registry, move || state.snapshot())?;
/// let mut page = Vec::new();
/// append(&registry.scrape(), Format::TEXT, &mut page);
/// assert_eq!(check_page(&String::from_utf8_lossy(&page), ""), Ok(()));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Every identity that does not hold, and every metric that is missing.
pub fn check_page(page: &str, namespace: &str) -> Result<(), Vec<PageFault>> {
    let mut faults = Vec::new();
    for (identity, left, right) in IDENTITIES {
        let mut side = |names: &[&str]| -> f64 {
            names
                .iter()
                .map(|bare| {
                    let name = match namespace {
                        "" => (*bare).to_owned(),
                        namespace => format!("{namespace}_{bare}"),
                    };
                    sum(page, &name).unwrap_or_else(|| {
                        faults.push(PageFault::Missing { name });
                        0.0
                    })
                })
                .sum()
        };
        let (left, right) = (side(left), side(right));
        // Whole numbers below 2⁵³ are exact in a float.
        if (left - right).abs() > 0.0 {
            faults.push(PageFault::Differs {
                identity,
                left,
                right,
            });
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// The sum of all series of a metric; `None` where there is none.
fn sum(page: &str, name: &str) -> Option<f64> {
    page.lines()
        .filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let sample = match rest.as_bytes().first()? {
                b' ' => rest,
                b'{' => after_labels(rest)?,
                _ => return None,
            };
            sample.split_ascii_whitespace().next()?.parse::<f64>().ok()
        })
        .reduce(|a, b| a + b)
}

/// What follows the closing brace. A value may hold one as well: that of a global label is
/// anything.
fn after_labels(rest: &str) -> Option<&str> {
    let mut labels = rest;
    loop {
        let at = labels.find(['"', '}'])?;
        let (_, found) = labels.split_at_checked(at)?;
        match found.strip_prefix('"') {
            None => return found.get(1..),
            Some(value) => labels = escape::first_value(value)?.2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# TYPE a_healing_observations_total counter
a_healing_observations_total 5
a_healing_observation_results_total{result=\"opened\"} 2
a_healing_observation_results_total{result=\"coalesced\"} 3 # {} 1
a_healing_issues_opened_total 2
a_healing_issues_restored_total 0
a_healing_issues_closed_total{outcome=\"healed\"} 1
a_healing_issues_open{env=\"a}\\\"} 7\",state=\"running\"} 1
a_healing_attempts_started_total 1
a_healing_attempts_finished_total{result=\"ok\"} 0
a_healing_attempts_running 1
";

    #[test]
    fn a_page_that_adds_up() {
        assert_eq!(check_page(PAGE, "a"), Ok(()));
    }

    #[test]
    fn what_is_missing_or_differs_is_named() {
        let page = PAGE.replace(
            "healing_observations_total 5",
            "healing_observations_total 6",
        );
        let faults = check_page(&page, "a").unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "observations = opened + coalesced + muted + dropped: 6 ≠ 5"
        );
        let faults = check_page(PAGE, "").unwrap_err();
        assert!(
            faults[0]
                .to_string()
                .contains("healing_observations_total is not"),
            "{faults:?}"
        );
    }
}
