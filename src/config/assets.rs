//! What is generated for the monitoring stack.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::faults::{Faults, quote};
use super::range::check_duration;

/// Prometheus itself takes no shorter one that is of use, and loses series after 5 minutes.
const SCRAPE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(120);
const RETENTION: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(2 * 3_600)..=Duration::from_secs(3_650 * 86_400);
/// A rate needs two samples in its window.
const SAMPLES: u32 = 2;
/// The least window whose rates outlast a scrape that fails.
const MOST_WINDOW: Duration = Duration::from_secs(3_600);

/// `[assets]`: the dashboards, rules and deployment files that `Selfheal::write_assets` writes.
/// Secrets are not among it: the files that are written name the files that hold them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Assets {
    /// The time between two scrapes, and between two evaluations of rules, 100 ms to 2 min.
    /// Default: 15 s.
    #[serde(with = "super::duration")]
    pub scrape_interval: Duration,
    /// The window of the rates in rules, from two scrape intervals to 1 h. Default: 5 min.
    #[serde(with = "super::duration")]
    pub window: Duration,
    /// The instances to scrape, as `host:port`. Default: none, which stands for the address of
    /// [`Server::listen`](super::Server::listen).
    pub targets: Vec<String>,
    /// Whether instances are scraped over TLS, with a client certificate; the files are
    /// `secrets/ca.crt`, `secrets/client.crt` and `secrets/client.key` beside the configuration
    /// of Prometheus. Default: `false`.
    pub https: bool,
    /// Whether Prometheus, of version 3.8 or later, keeps native histograms; it asks for protobuf
    /// then. Earlier ones have the flag `--enable-feature=native-histograms` for it and refuse the
    /// setting. Default: `false`.
    pub native_histograms: bool,
    /// Where Prometheus finds the Alertmanager, as `host:port`. Default: `alertmanager:9093`.
    pub alertmanager: String,
    /// How long Prometheus keeps samples, 2 h to 10 years. Default: 15 d.
    #[serde(with = "super::duration")]
    pub retention: Duration,
    /// How many bytes of samples Prometheus keeps, such as `50GB`. Default: empty, for no limit.
    pub retention_size: String,
    /// Where Prometheus sends all samples as well. Default: empty, for nowhere.
    pub remote_write: String,
    /// The text before the name of a page in the link from an alert to it. Default: empty, for
    /// links that are paths in the folder that is written.
    pub runbooks: String,
    /// Where the Alertmanager sends the alerts that the application is to act on: the address of
    /// its own receiver. Default: empty, for nowhere.
    pub webhook: String,
    /// Which alerts that are, by name. Default: none, which stands for all but those of objectives.
    pub webhook_alerts: Vec<String>,
    /// The channel of Slack for alerts. Default: empty, for none.
    pub slack: String,
    /// Whether critical alerts go to PagerDuty. Default: `false`.
    pub pagerduty: bool,
    /// The address of e-mail about alerts. Default: empty, for none.
    pub email: String,
    /// The mail server, as `host:port`; needed where there is an address. Default: empty.
    pub smarthost: String,
    /// The namespace in Kubernetes of the stack. Default: `monitoring`.
    pub kubernetes_namespace: String,
    /// The image of the application. Default: empty, which stands for the name of the service
    /// and its version.
    pub image: String,
    /// The objectives, by name. Default: none, which stands for `availability` with 99.9 %.
    pub objective: BTreeMap<String, Objective>,
}

/// A share of good requests that the service is to have over 30 days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Objective {
    /// The share, above 0 and below 100. Default: 99.9.
    pub percent: f64,
    /// Good is what takes at most so many seconds: a bound of the buckets of
    /// `http_request_duration_seconds`. Default: none, where good is what is not answered
    /// with 5xx.
    pub seconds: Option<f64>,
    /// Which requests count, as matchers in PromQL: `path="/orders"`. Default: empty, for all.
    pub selector: String,
}

impl Default for Assets {
    fn default() -> Self {
        Self {
            scrape_interval: Duration::from_secs(15),
            window: Duration::from_secs(300),
            targets: Vec::new(),
            https: false,
            native_histograms: false,
            alertmanager: "alertmanager:9093".to_owned(),
            retention: Duration::from_secs(15 * 86_400),
            retention_size: String::new(),
            remote_write: String::new(),
            runbooks: String::new(),
            webhook: String::new(),
            webhook_alerts: Vec::new(),
            slack: String::new(),
            pagerduty: false,
            email: String::new(),
            smarthost: String::new(),
            kubernetes_namespace: "monitoring".to_owned(),
            image: String::new(),
            objective: BTreeMap::new(),
        }
    }
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
    /// An objective of so many percent.
    #[must_use]
    pub fn new(percent: f64) -> Self {
        Self {
            percent,
            ..Self::default()
        }
    }

    /// Sets how long a good request takes at most. Default: none, where good is what is not
    /// answered with 5xx.
    #[must_use]
    pub fn seconds(mut self, seconds: f64) -> Self {
        self.seconds = Some(seconds);
        self
    }

    /// Sets which requests count, as matchers in PromQL. Default: empty, for all.
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
            faults.add("seconds", format!("{seconds} is no time in seconds"), hint);
        }
    }
}

impl Assets {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time between two scrapes, 100 ms to 2 min. Default: 15 s.
    #[must_use]
    pub fn scrape_interval(mut self, interval: Duration) -> Self {
        self.scrape_interval = interval;
        self
    }

    /// Sets the window of rates, from two scrape intervals to 1 h. Default: 5 min.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Adds an instance to scrape, as `host:port`. Default: none.
    #[must_use]
    pub fn target(mut self, address: impl Into<String>) -> Self {
        self.targets.push(address.into());
        self
    }

    /// Whether instances are scraped over TLS. Default: `false`.
    #[must_use]
    pub fn https(mut self, on: bool) -> Self {
        self.https = on;
        self
    }

    /// Whether Prometheus, of version 3.8 or later, keeps native histograms. Default: `false`.
    #[must_use]
    pub fn native_histograms(mut self, on: bool) -> Self {
        self.native_histograms = on;
        self
    }

    /// Sets where Prometheus finds the Alertmanager. Default: `alertmanager:9093`.
    #[must_use]
    pub fn alertmanager(mut self, address: impl Into<String>) -> Self {
        self.alertmanager = address.into();
        self
    }

    /// Sets how long Prometheus keeps samples, 2 h to 10 years. Default: 15 d.
    #[must_use]
    pub fn retention(mut self, time: Duration) -> Self {
        self.retention = time;
        self
    }

    /// Sets how many bytes of samples Prometheus keeps, such as `50GB`. Default: empty.
    #[must_use]
    pub fn retention_size(mut self, size: impl Into<String>) -> Self {
        self.retention_size = size.into();
        self
    }

    /// Sets where Prometheus sends all samples as well. Default: empty, for nowhere.
    #[must_use]
    pub fn remote_write(mut self, url: impl Into<String>) -> Self {
        self.remote_write = url.into();
        self
    }

    /// Sets what goes before the name of a page in the link to it. Default: empty.
    #[must_use]
    pub fn runbooks(mut self, url: impl Into<String>) -> Self {
        self.runbooks = url.into();
        self
    }

    /// Sets the address of the application's own receiver of alerts. Default: empty.
    #[must_use]
    pub fn webhook(mut self, url: impl Into<String>) -> Self {
        self.webhook = url.into();
        self
    }

    /// Adds an alert that the application is to act on. Default: none, which stands for all but
    /// those of objectives.
    #[must_use]
    pub fn webhook_alert(mut self, name: impl Into<String>) -> Self {
        self.webhook_alerts.push(name.into());
        self
    }

    /// Sets the channel of Slack. Default: empty, for none.
    #[must_use]
    pub fn slack(mut self, channel: impl Into<String>) -> Self {
        self.slack = channel.into();
        self
    }

    /// Whether critical alerts go to PagerDuty. Default: `false`.
    #[must_use]
    pub fn pagerduty(mut self, on: bool) -> Self {
        self.pagerduty = on;
        self
    }

    /// Sets the address of e-mail about alerts, and the mail server. Default: none.
    #[must_use]
    pub fn email(mut self, address: impl Into<String>, smarthost: impl Into<String>) -> Self {
        (self.email, self.smarthost) = (address.into(), smarthost.into());
        self
    }

    /// Sets the namespace in Kubernetes. Default: `monitoring`.
    #[must_use]
    pub fn kubernetes_namespace(mut self, name: impl Into<String>) -> Self {
        self.kubernetes_namespace = name.into();
        self
    }

    /// Sets the image of the application. Default: the name of the service and its version.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = image.into();
        self
    }

    /// Adds an objective. Default: none, which stands for `availability` with 99.9 %.
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
        let hint = "give how long samples are kept";
        check_duration("retention", self.retention, &RETENTION, hint, faults);
        faults.within("targets", |faults| {
            for (index, target) in self.targets.iter().enumerate() {
                faults.within_index(index, |faults| check_text("", target, HOST, faults));
            }
        });
        faults.within("webhook_alerts", |faults| {
            for (index, name) in self.webhook_alerts.iter().enumerate() {
                faults.within_index(index, |faults| check_text("", name, ALERT, faults));
            }
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
                "there is an address of e-mail and no mail server",
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
                        faults.add("", "this is no name", "give a short text");
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

/// What a text is to look like: whether it does, and how to write it.
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
        faults.add(field, "this is empty", hint);
    } else if text.len() > 512 || !is_right(text) {
        faults.add(field, format!("{} is not of that form", quote(text)), hint);
    }
}

/// No blanks, quotes and other characters that mean something where the text ends up.
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
