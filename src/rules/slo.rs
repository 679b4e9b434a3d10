//! Service level objectives as rules: recording rules of error ratios, and burn rate alerts.

use std::fmt::Write as _;

use crate::util::quoted;

/// The burn rates, each with a long window, a short one that shows whether it continues, and a
/// severity. At the first rate, 2 % of the budget of 30 days are consumed in an hour; the others
/// are 5 % in six hours, and 10 % in one and in three days. Source: Site Reliability Workbook,
/// chapter 5.
pub(crate) const BURNS: [(f64, &str, &str, &str); 4] = [
    (14.4, "1h", "5m", "page"),
    (6.0, "6h", "30m", "page"),
    (3.0, "1d", "2h", "ticket"),
    (1.0, "3d", "6h", "ticket"),
];

/// A service level objective: the target share of good events over 30 days.
///
/// It expands to the text of a rule file for this crate or a Prometheus server: recording rules
/// `slo:error_ratio:rate5m` and so on for each window, and the alert `SloBudgetBurn` with two
/// severities, `page` and `ticket`, all with the label `slo`.
///
/// ```
/// use selfheal::rules::{RuleFile, Slo};
///
/// let slo = Slo::availability("checkout", 99.9).selector("path=\"/checkout\"");
/// let file = RuleFile::parse("slo.yml", &slo.to_rules())?;
/// assert_eq!(&*file.groups[0].name, "slo-checkout");
/// # Ok::<(), selfheal::rules::RuleFileError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an objective has no effect until its rules are installed"]
pub struct Slo {
    name: String,
    percent: f64,
    selector: String,
    runbook: String,
    kind: SloKind,
}

#[derive(Clone, Debug, PartialEq)]
enum SloKind {
    /// Counters of bad events and of all events.
    Ratio { bad: String, all: String },
    /// A histogram, and the upper bound of good events.
    Below { histogram: String, bound: f64 },
}

impl Slo {
    /// The share of requests not answered with 5xx: `http_requests_total` by `status`.
    pub fn availability(name: &str, percent: f64) -> Self {
        let bad = "http_requests_total{status=~\"5..\"}";
        let all = bad.split('{').next().unwrap_or(bad);
        Self::ratio(name, percent, bad, all)
    }

    /// The share of requests that take at most `seconds`, a bucket bound of
    /// `http_request_duration_seconds`.
    pub fn latency(name: &str, percent: f64, seconds: f64) -> Self {
        Self::of(
            name,
            percent,
            SloKind::Below {
                histogram: "http_request_duration_seconds".to_owned(),
                bound: seconds,
            },
        )
    }

    /// A custom share: counters of bad and of all events, as selectors.
    pub fn ratio(name: &str, percent: f64, bad: &str, all: &str) -> Self {
        let (bad, all) = (bad.to_owned(), all.to_owned());
        Self::of(name, percent, SloKind::Ratio { bad, all })
    }

    fn of(name: &str, percent: f64, kind: SloKind) -> Self {
        Self {
            name: name.to_owned(),
            percent: if percent.is_finite() {
                percent.clamp(0.0, 99.999_999)
            } else {
                99.0
            },
            selector: String::new(),
            runbook: String::new(),
            kind,
        }
    }

    /// Adds matchers to every selector: `path="/checkout"`. Default: none.
    pub fn selector(mut self, matchers: &str) -> Self {
        matchers.clone_into(&mut self.selector);
        self
    }

    /// Sets the URL of the runbook, the annotation `runbook_url`. Default: none.
    pub fn runbook(mut self, url: &str) -> Self {
        url.clone_into(&mut self.runbook);
        self
    }

    /// Prepends the namespace of the service to the metric names. Default: none.
    pub fn namespace(mut self, namespace: &str) -> Self {
        let named = |name: &str| format!("{namespace}_{name}");
        self.kind = match self.kind {
            SloKind::Ratio { bad, all } => SloKind::Ratio {
                bad: named(&bad),
                all: named(&all),
            },
            SloKind::Below { histogram, bound } => SloKind::Below {
                histogram: named(&histogram),
                bound,
            },
        };
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Generates the text of a rule file.
    #[must_use]
    pub fn to_rules(&self) -> String {
        let name = quoted(&self.name);
        let budget = 1.0 - self.percent / 100.0;
        let mut text = format!(
            "groups:\n- name: {}\n  rules:\n",
            quoted(&format!("slo-{}", self.name))
        );
        let mut windows: Vec<&str> = BURNS
            .iter()
            .flat_map(|(_, long, short, _)| [*short, *long])
            .collect();
        windows.sort_unstable();
        windows.dedup();
        for window in windows {
            let _ = write!(
                text,
                "  - record: slo:error_ratio:rate{window}\n    expr: {}\n    labels: {{slo: {name}}}\n",
                quoted(&self.errors(window))
            );
        }
        for (pace, long, short, severity) in BURNS {
            // No more digits than the rates and percentages have.
            let limit = format!("{:.10}", pace * budget);
            let limit = limit.trim_end_matches('0').trim_end_matches('.');
            let over =
                |window: &str| format!("slo:error_ratio:rate{window}{{slo={name}}} > {limit}");
            let expr = format!("{} and {}", over(long), over(short));
            let summary = format!(
                "{}: the error budget burns at more than {pace} times its pace over {long}",
                self.name
            );
            let _ = write!(
                text,
                "  - alert: SloBudgetBurn\n    expr: {}\n    labels: {{slo: {name}, severity: {severity}, \
                 window: {long}}}\n    annotations:\n      summary: {}\n",
                quoted(&expr),
                quoted(&summary)
            );
            if !self.runbook.is_empty() {
                let _ = writeln!(text, "      runbook_url: {}", quoted(&self.runbook));
            }
        }
        text
    }

    /// The share of bad events over a window.
    fn errors(&self, window: &str) -> String {
        let rate = |selector: &str| format!("sum(rate({}[{window}]))", self.narrowed(selector));
        match &self.kind {
            SloKind::Ratio { bad, all } => {
                // If no bad event was ever counted, its series does not exist.
                let none = format!("{} * 0", rate(all));
                format!("({} or {none}) / ({} > 0)", rate(bad), rate(all))
            }
            SloKind::Below { histogram, bound } => {
                let good = format!("{histogram}_bucket{{le=~\"{}\"}}", le(*bound));
                let all = rate(&format!("{histogram}_count"));
                format!("1 - {} / ({all} > 0)", rate(&good))
            }
        }
    }

    /// A selector with the objective's matchers.
    fn narrowed(&self, selector: &str) -> String {
        if self.selector.is_empty() {
            return selector.to_owned();
        }
        match selector.strip_suffix('}') {
            Some(open) if open.ends_with('{') => format!("{open}{}}}", self.selector),
            Some(open) => format!("{open},{}}}", self.selector),
            None => format!("{selector}{{{}}}", self.selector),
        }
    }
}

/// A bound as Prometheus writes it: `1` in version 2, `1.0` since version 3.
fn le(bound: f64) -> String {
    let text = bound.to_string();
    if text.contains('.') {
        text.replace('.', "[.]")
    } else {
        format!("{text}([.]0)?")
    }
}
