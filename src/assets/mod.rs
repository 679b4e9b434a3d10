//! Generates the monitoring stack from the catalogue: rules and dashboards of exactly the metrics
//! that the process exposes, with its namespace and labels, and a runbook for each alert.
//!
//! - Everything is a pure function of definitions and configuration; [`Stack`] holds texts and
//!   touches no file before [`Stack::write`].
//! - Dashboards, alerts and runbooks are table entries. Their expressions use catalogue names, each
//!   resolved against the exposed metrics, label by label. Entries with a metric that is not
//!   exposed are left out and listed by [`Stack::left_out`].
//! - Writing is all or nothing, and edited files are not overwritten.
//!
//! ```
//! use selfheal::{Config, Selfheal};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let heal = Selfheal::new(Config::new().namespace("shop"))?;
//! let assets = heal.assets()?;
//! let rules = assets.file("prometheus/rules/platform.yml").unwrap_or_default();
//! assert!(rules.contains("shop_system_health_score < 80"));
//! # Ok(())
//! # }
//! ```

mod alertmanager;
mod alerts;
mod burn;
mod dashboards;
mod deploy;
mod error;
mod foreign;
mod grafana;
mod names;
mod objectives;
mod plan;
mod prometheus;
mod records;
mod rules;
mod runbook;
mod table;
mod write;

use std::collections::BTreeMap;

pub use error::{AssetsError, EditedFile};
pub use write::Written;

use self::names::Names;
use self::plan::Plan;
use crate::catalog::MetricDef;
use crate::config::Config;

/// The files of the monitoring stack, generated and not yet written; from [`Selfheal::assets`](crate::Selfheal::assets).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    files: BTreeMap<String, String>,
    left_out: Vec<String>,
}

impl Stack {
    /// Generates all files from definitions, by their exposed names, and a validated configuration.
    /// `own` are the application's definitions.
    pub(crate) fn new(
        catalog: Vec<(String, MetricDef)>,
        own: &[MetricDef],
        config: &Config,
    ) -> Result<Self, AssetsError> {
        let names = Names::new(catalog, config.global_labels.keys());
        let plan = &mut Plan::new(config, names);
        let mut files = BTreeMap::new();
        let mut add = |path: &str, text: String| drop(files.insert(path.to_owned(), text));
        let inside = format!("app:{}", plan.port());
        add(
            "prometheus/prometheus.yml",
            prometheus::config(plan, &config.server.listen.to_string()),
        );
        add("compose/prometheus.yml", prometheus::config(plan, &inside));
        add("kubernetes/prometheus.yml", prometheus::in_kubernetes(plan));
        add("alertmanager/alertmanager.yml", alertmanager::config(plan));
        add("prometheus/rules/recording.yml", rules::records(plan));
        for group in alerts::GROUPS {
            if let Some(text) = rules::alerts(plan, group) {
                add(&format!("prometheus/rules/{}.yml", group.name), text);
                add(
                    &format!("prometheus/tests/{}.yml", group.name),
                    rules::tests(plan, group),
                );
            }
        }
        let objectives = objectives::files(plan)?;
        add("prometheus/rules/objectives.yml", objectives.rules);
        if !objectives.tests.is_empty() {
            add("prometheus/tests/objectives.yml", objectives.tests);
        }
        let burn = (
            &objectives::BURN,
            format!("{} > pace * budget", objectives::BURN.expr),
        );
        for (alert, expr) in plan.alerts.clone().iter().chain([&burn]) {
            add(
                &format!("runbooks/{}.md", alert.name),
                runbook::page(plan, alert, expr),
            );
        }
        for dashboard in dashboards::DASHBOARDS {
            if let Some(text) = grafana::dashboard(plan, dashboard) {
                add(&format!("grafana/dashboards/{}.json", dashboard.uid), text);
            }
        }
        for group in own.chunk_by(|a, b| a.group == b.group) {
            let name = group.first().map_or("", |def| def.group);
            let name = if name.is_empty() { "application" } else { name };
            let uid = format!("own-{}", plan::slug(name));
            if let Some(text) = grafana::of_group(plan, &uid, name, group) {
                add(&format!("grafana/dashboards/{uid}.json"), text);
            }
        }
        for (path, text) in deploy::texts(plan) {
            add(&path, text);
        }
        let maps = deploy::config_maps(plan, &files);
        let rules = deploy::operator_rules(plan, &files);
        files.insert("kubernetes/config.yaml".to_owned(), maps);
        files.insert("kubernetes/operator-rules.yaml".to_owned(), rules);
        Ok(Self {
            files,
            left_out: plan.take_left_out(),
        })
    }

    /// Iterates over the files, ordered by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (&**path, &**text))
    }

    /// Returns the text of one file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The entries that were not generated, and why: they need a metric that is not exposed here,
    /// since a feature of this crate or the family is disabled.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}
