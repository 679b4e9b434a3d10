//! The identities of the healing core, checked on a metrics page: from what was scraped alone.

/// Each identity: in words, the metrics of its left side, those of its right side.
const IDENTITIES: [(&str, &[&str], &[&str]); 3] = [
    (
        "observations = opened + coalesced + muted + dropped",
        &["healing_observations_total"],
        &["healing_observation_results_total"],
    ),
    (
        "opened + restored = closed + open",
        &[
            "healing_issues_opened_total",
            "healing_issues_restored_total",
        ],
        &["healing_issues_closed_total", "healing_issues_open"],
    ),
    (
        "attempts started = finished + running",
        &["healing_attempts_started_total"],
        &[
            "healing_attempts_finished_total",
            "healing_attempts_running",
        ],
    ),
];

/// Checks a page in either text format; `namespace` is the one that goes before the names of the
/// core, empty for none. Gives every identity that does not hold, and every metric that is missing.
pub(crate) fn check(page: &str, namespace: &str) -> Result<(), Vec<String>> {
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
                        faults.push(format!("{name} is not on the page"));
                        0.0
                    })
                })
                .sum()
        };
        let (left, right) = (side(left), side(right));
        // Whole numbers below 2⁵³ are exact in a float.
        if (left - right).abs() > 0.0 {
            faults.push(format!("{identity}: {left} ≠ {right}"));
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

/// What follows the closing brace. A quoted value may hold one as well: that of a global label is
/// anything.
fn after_labels(rest: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return rest.get(at + 1..),
            _ => {}
        }
    }
    None
}

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
    assert_eq!(check(PAGE, "a"), Ok(()));
}

#[test]
fn what_is_missing_or_differs_is_named() {
    let page = PAGE.replace(
        "healing_observations_total 5",
        "healing_observations_total 6",
    );
    let faults = check(&page, "a").unwrap_err();
    assert_eq!(
        faults[0],
        "observations = opened + coalesced + muted + dropped: 6 ≠ 5"
    );
    let faults = check(PAGE, "").unwrap_err();
    assert_eq!(faults[0], "healing_observations_total is not on the page");
}
