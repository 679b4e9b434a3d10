//! Settings of the files that are generated for the monitoring stack.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::faults::{Faults, quote};
use super::range::check_duration;
use super::settings::settings;

/// A shorter scrape interval is of no use, and Prometheus marks series stale after 5 minutes.
const SCRAPE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(120);
const RETENTION: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(2 * 3_600)..=Duration::from_secs(3_650 * 86_400);
/// A rate needs two samples in its window.
const SAMPLES: u32 = 2;
/// The longest window of rates.
const MOST_WINDOW: Duration = Duration::from_secs(3_600);

settings! {
    /// `[assets]`: the dashboards, rules and deployment files that `Selfheal::write_assets` writes.
    /// They hold no secrets, only the names of the files that do.
    #[non_exhaustive]
    pub struct Assets {
        /// The interval of scrapes and of rule evaluations, 100 ms to 2 min. Default: 15 s.
        #[serde(with = "super::duration")]
        pub scrape_interval: Duration = Duration::from_secs(15),
        /// The window of the rates in rules, from two scrape intervals to 1 h. Default: 5 min.
        #[serde(with = "super::duration")]
        pub window: Duration = Duration::from_secs(300),
        /// The instances to scrape, as `host:port`. Default: empty, for the address of
        /// [`Server::listen`](super::Server::listen).
        pub targets(): Vec<String>,
        /// Whether instances are scraped over TLS with a client certificate; the files are
        /// `secrets/ca.crt`, `secrets/client.crt` and `secrets/client.key` beside the Prometheus
        /// configuration. Default: `false`.
        pub https: bool,
        /// Whether Prometheus stores native histograms, which it then scrapes as protobuf. Needs
        /// Prometheus 3.8 or later; earlier versions reject the setting and use the flag
        /// `--enable-feature=native-histograms`. Default: `false`.
        pub native_histograms: bool,
        /// The address of the Alertmanager, as `host:port`. Default: `alertmanager:9093`.
        pub alertmanager(impl Into<String>): String = "alertmanager:9093".to_owned(),
        /// How long Prometheus keeps samples, 2 h to 10 years. Default: 15 d.
        #[serde(with = "super::duration")]
        pub retention: Duration = Duration::from_secs(15 * 86_400),
        /// The size limit of Prometheus' storage, such as `50GB`. Default: empty, for no limit.
        pub retention_size(impl Into<String>): String,
        /// The remote-write URL of Prometheus. Default: empty, for no remote write.
        pub remote_write(impl Into<String>): String,
        /// The URL prefix of the runbook links in alerts. Default: empty, for links relative to the
        /// written folder.
        pub runbooks(impl Into<String>): String,
        /// The URL of the application's own alert receiver, to which the Alertmanager sends the
        /// alerts that the application acts on. Default: empty, for none.
        pub webhook(impl Into<String>): String,
        /// The names of those alerts. Default: empty, for all except those of objectives.
        pub webhook_alerts(): Vec<String>,
        /// The Slack channel for alerts. Default: empty, for none.
        pub slack(impl Into<String>): String,
        /// Whether critical alerts go to PagerDuty. Default: `false`.
        pub pagerduty: bool,
        /// The e-mail address for alerts. Default: empty, for none.
        pub email(): String,
        /// The mail server, as `host:port`; required with an e-mail address. Default: empty.
        pub smarthost(): String,
        /// The Kubernetes namespace of the stack. Default: `monitoring`.
        pub kubernetes_namespace(impl Into<String>): String = "monitoring".to_owned(),
        /// The container image of the application. Default: empty, for the service's name and
        /// version.
        pub image(impl Into<String>): String,
        /// The service level objectives, by name. Default: empty, for `availability` with 99.9 %.
        pub objective(): BTreeMap<String, Objective>,
    }
}

/// A service level objective: the target share of good requests over 30 days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Objective {
    /// The target in percent, above 0 and below 100. Default: 99.9.
    pub percent: f64,
    /// The longest duration of a good request in seconds; must be a bucket bound of
    /// `http_request_duration_seconds`. Default: none: a request is good unless it is answered with
    /// 5xx.
    pub seconds: Option<f64>,
    /// The requests that count, as PromQL matchers: `path="/orders"`. Default: empty, for all.
    pub selector: String,
}

impl Default for Objective {
    fn default() -> Self {
        Self {
            percent: 99.9,
            seconds: None,
            selector: String::new(),
        }
    }
}

impl Objective {
    /// Creates an objective with a target in percent.
    #[must_use]
    pub fn new(percent: f64) -> Self {
        Self {
            percent,
            ..Self::default()
        }
    }

    /// Sets the longest duration of a good request, in seconds. Default: none: a request is good
    /// unless it is answered with 5xx.
    #[must_use]
    pub fn seconds(mut self, seconds: f64) -> Self {
        self.seconds = Some(seconds);
        self
    }

    /// Sets the requests that count, as PromQL matchers. Default: empty, for all.
    #[must_use]
    pub fn selector(mut self, matchers: impl Into<String>) -> Self {
        self.selector = matchers.into();
        self
    }

    fn check(&self, faults: &mut Faults) {
        let percent = self.percent;
        if !(percent > 0.0 && percent < 100.0) {
            let problem = format!("{percent} is not above 0 and below 100");
            faults.add(
                "percent",
                problem,
                "give a share such as 99.9; 100 leaves no budget",
            );
        }
        if let Some(seconds) = self.seconds
            && !(seconds.is_finite() && seconds > 0.0)
        {
            let hint = "give a bound of the buckets of `http_request_duration_seconds`";
            faults.add(
                "seconds",
                format!("{seconds} is not a time in seconds"),
                hint,
            );
        }
    }
}

impl Assets {
    /// Adds an instance to scrape, as `host:port`. Default: none.
    #[must_use]
    pub fn target(mut self, address: impl Into<String>) -> Self {
        self.targets.push(address.into());
        self
    }

    /// Adds an alert that the application acts on. Default: none, for all except those of
    /// objectives.
    #[must_use]
    pub fn webhook_alert(mut self, name: impl Into<String>) -> Self {
        self.webhook_alerts.push(name.into());
        self
    }

    /// Sets the e-mail address for alerts, and the mail server. Default: none.
    #[must_use]
    pub fn email(mut self, address: impl Into<String>, smarthost: impl Into<String>) -> Self {
        (self.email, self.smarthost) = (address.into(), smarthost.into());
        self
    }

    /// Adds an objective. Default: none, for `availability` with 99.9 %.
    #[must_use]
    pub fn objective(mut self, name: impl Into<String>, objective: Objective) -> Self {
        self.objective.insert(name.into(), objective);
        self
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let hint = "give the time between two scrapes";
        check_duration(
            "scrape_interval",
            self.scrape_interval,
            &SCRAPE,
            hint,
            faults,
        );
        self.check_window(faults);
        let hint = "give how long samples are to be kept";
        check_duration("retention", self.retention, &RETENTION, hint, faults);
        faults.within_each("targets", &self.targets, |faults, _, target| {
            check_text("", target, HOST, faults);
        });
        faults.within_each("webhook_alerts", &self.webhook_alerts, |faults, _, name| {
            check_text("", name, ALERT, faults);
        });
        check_text("alertmanager", &self.alertmanager, HOST, faults);
        for (field, text, shape) in [
            ("smarthost", &self.smarthost, HOST),
            ("retention_size", &self.retention_size, SIZE),
            ("remote_write", &self.remote_write, URL),
            ("runbooks", &self.runbooks, URL),
            ("webhook", &self.webhook, URL),
            ("slack", &self.slack, CHANNEL),
            ("email", &self.email, EMAIL),
            ("image", &self.image, IMAGE),
        ] {
            if !text.is_empty() {
                check_text(field, text, shape, faults);
            }
        }
        if !self.email.is_empty() && self.smarthost.is_empty() {
            let hint = "give the mail server as `host:port`";
            faults.add(
                "smarthost",
                "there is an e-mail address but no mail server",
                hint,
            );
        }
        check_text(
            "kubernetes_namespace",
            &self.kubernetes_namespace,
            LABEL,
            faults,
        );
        faults.within("objective", |faults| {
            for (name, objective) in &self.objective {
                faults.within(name, |faults| {
                    if name.is_empty() || name.contains(|c: char| c.is_control()) {
                        faults.add("", "this is not a name", "give a short text");
                    }
                    objective.check(faults);
                });
            }
        });
    }

    fn check_window(&self, faults: &mut Faults) {
        let least = self.scrape_interval.saturating_mul(SAMPLES);
        if self.window < least {
            let problem = format!(
                "{} is shorter than two scrape intervals of {}",
                duration::format(self.window),
                duration::format(self.scrape_interval)
            );
            faults.add(
                "window",
                problem,
                "a rate needs two samples: give four intervals or more",
            );
        } else if self.window > MOST_WINDOW {
            let problem = format!("{} is longer than 1h", duration::format(self.window));
            faults.add("window", problem, "give a window of minutes");
        }
    }
}

/// A text format: its check, and its description for the error message.
type Shape = (fn(&str) -> bool, &'static str);

const HOST: Shape = (is_host, "write it as `host:port`");
const URL: Shape = (is_url, "write it as `https://host/path`");
const SIZE: Shape = (is_size, "write it as `50GB`");
const ALERT: Shape = (is_alert, "use letters, digits and `_`");
const CHANNEL: Shape = (is_plain, "write it as `#alerts`");
const EMAIL: Shape = (is_email, "write it as `name@host`");
const IMAGE: Shape = (is_plain, "write it as `registry/name:tag`");
const LABEL: Shape = (is_label, "use small letters, digits and `-`");

fn check_text(field: &str, text: &str, (is_right, hint): Shape, faults: &mut Faults) {
    if text.is_empty() {
        faults.add(field, "it is empty", hint);
    } else if text.len() > 512 || !is_right(text) {
        faults.add(
            field,
            format!("{} does not have this form", quote(text)),
            hint,
        );
    }
}

/// Whether the text has no blanks, quotes or other characters special in the generated files.
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_graphic() && !"\"'`\\$<>|;{}".contains(c))
}

fn is_alert(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_host(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        is_plain(text) && !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    })
}

fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or(text.strip_prefix("http://"));
    is_plain(text) && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

fn is_size(text: &str) -> bool {
    let unit = ["KB", "MB", "GB", "TB"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit));
    unit.is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 0))
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    is_plain(text) && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

fn is_label(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 63 && text.chars().all(is_part) && !text.starts_with('-') && !text.ends_with('-')
}
