//! State shared by all generators: names, configuration, and omissions.

use super::names::{Names, Scope};
use super::table::Alert;
use crate::config::{Config, duration};

/// The state of one run.
pub(super) struct Plan<'c> {
    pub(super) config: &'c Config,
    pub(super) names: Names,
    /// The window of rates in rules.
    window: String,
    /// The alerts generated here, with their expressions.
    pub(super) alerts: Vec<(&'static Alert, String)>,
    left_out: Vec<String>,
}

impl<'c> Plan<'c> {
    pub(super) fn new(config: &'c Config, names: Names) -> Self {
        Self {
            config,
            names,
            window: duration::format(config.assets.window),
            alerts: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Records what is not generated, and why.
    pub(super) fn left_out(&mut self, what: &str, why: &str) {
        self.left_out.push(format!("{what}: {why}"));
    }

    pub(super) fn take_left_out(&mut self) -> Vec<String> {
        std::mem::take(&mut self.left_out)
    }

    /// The scope of rules.
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            window: &self.window,
            matchers: "",
        }
    }

    /// The location of an alert's runbook.
    pub(super) fn link(&self, alert: &str) -> String {
        let base = match &*self.config.assets.runbooks {
            "" => "runbooks",
            url => url.trim_end_matches('/'),
        };
        format!("{base}/{alert}.md")
    }

    /// The name of the service as a Kubernetes name and a Prometheus job.
    pub(super) fn service(&self) -> String {
        match slug(self.config.service_name()) {
            name if name.is_empty() => "app".to_owned(),
            name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("app-{name}"),
            name => name,
        }
    }

    /// The instances to scrape, or `default` if none are set.
    pub(super) fn targets(&self, default: &str) -> Vec<String> {
        let targets = &self.config.assets.targets;
        if targets.is_empty() {
            vec![default.to_owned()]
        } else {
            targets.clone()
        }
    }

    /// The port of the metrics in a container or VM of its own; 9898 if the configured one is 0.
    pub(super) fn port(&self) -> u16 {
        match self.config.server.listen.port() {
            0 => 9898,
            port => port,
        }
    }

    /// The container image of the application.
    pub(super) fn image(&self) -> String {
        match &*self.config.assets.image {
            "" => {
                let version = self.config.service.version.as_deref();
                format!("{}:{}", self.service(), version.unwrap_or("latest"))
            }
            image => image.to_owned(),
        }
    }
}

/// A text as a Kubernetes name: lowercase letters, digits and `-`, at most 40.
pub(super) fn slug(text: &str) -> String {
    let name = text
        .to_ascii_lowercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let name: String = name.trim_matches('-').chars().take(40).collect();
    name.trim_end_matches('-').to_owned()
}
