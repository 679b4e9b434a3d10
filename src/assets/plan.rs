//! What all generators share: the names, the configuration, and what could not be generated.

use super::names::Names;
use super::table::Alert;
use crate::config::{Config, duration};

/// The state of one run.
pub(super) struct Plan<'c> {
    pub(super) config: &'c Config,
    pub(super) names: Names,
    /// The alerts that there are here, with their expressions.
    pub(super) alerts: Vec<(&'static Alert, String)>,
    left_out: Vec<String>,
}

impl<'c> Plan<'c> {
    pub(super) fn new(config: &'c Config, names: Names) -> Self {
        Self {
            config,
            names,
            alerts: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Notes what is not generated, and why.
    pub(super) fn left_out(&mut self, what: &str, why: &str) {
        self.left_out.push(format!("{what}: {why}"));
    }

    pub(super) fn into_left_out(self) -> Vec<String> {
        self.left_out
    }

    /// The window of rates in rules.
    pub(super) fn window(&self) -> String {
        duration::format(self.config.assets.window)
    }

    /// Where the page of an alert is.
    pub(super) fn link(&self, alert: &str) -> String {
        let base = match &*self.config.assets.runbooks {
            "" => "runbooks",
            url => url.trim_end_matches('/'),
        };
        format!("{base}/{alert}.md")
    }

    /// The name of the service as a name in Kubernetes and a job of Prometheus.
    pub(super) fn service(&self) -> String {
        let name = self.config.service_name().to_ascii_lowercase();
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let name: String = name.trim_matches('-').chars().take(40).collect();
        match name.trim_matches('-') {
            "" => "app".to_owned(),
            name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("app-{name}"),
            name => name.to_owned(),
        }
    }

    /// The instances that are scraped.
    pub(super) fn targets(&self) -> Vec<String> {
        let targets = &self.config.assets.targets;
        if targets.is_empty() {
            vec![self.config.server.listen.to_string()]
        } else {
            targets.clone()
        }
    }
}
