//! The catalogue: enumerated without being used, as the documentation has it, and held against
//! what is exposed.

#![cfg(all(
    feature = "http",
    feature = "http-client",
    feature = "grpc",
    feature = "server",
    feature = "files",
    feature = "system",
    feature = "prometheus"
))]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;

use selfheal::catalog::{Alias, Allowed, Kind, MetricDef, Relabel, markdown};
use selfheal::registry::{
    Collector, FamilySnapshot, Number, Profile, Registry, SeriesSnapshot, Settings, Value,
};
use selfheal::testing::check_catalogue;

/// What systems ask for, as [`Asked`] reads it.
const ASKED: &str = include_str!("catalogue.txt");

/// A line of [`ASKED`].
#[derive(Debug, Default, PartialEq)]
struct Asked<'t> {
    kind: &'t str,
    name: &'t str,
    labels: Vec<&'t str>,
    /// The values of each label, in alphabetical order; empty if it has others.
    values: Vec<Vec<&'t str>>,
    buckets: Vec<&'t str>,
    profiles: Vec<&'t str>,
}

impl<'t> Asked<'t> {
    fn read(line: &'t str) -> Option<Self> {
        let (head, rest) = line.split_once('}')?;
        let (kind, name) = head.split_once(' ')?;
        let (name, labels) = name.split_once('{')?;
        let (buckets, profiles) = match rest.strip_prefix(" [") {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut asked = Self {
            kind,
            name,
            buckets: buckets.split_whitespace().collect(),
            profiles: profiles.split_whitespace().collect(),
            ..Self::default()
        };
        for label in labels.split_terminator(',') {
            let (label, values) = label.split_once('(').unwrap_or((label, ""));
            let mut values: Vec<_> = values.trim_end_matches(')').split_terminator('|').collect();
            values.sort_unstable();
            asked.labels.push(label);
            asked.values.push(values);
        }
        Some(asked)
    }

    /// Whether buckets are those asked for: the first and last where others may be between.
    fn has_buckets(&self, bounds: &[f64]) -> bool {
        let bounds: Vec<String> = bounds.iter().map(f64::to_string).collect();
        match self.buckets.as_slice() {
            [] => true,
            ["…", last] => bounds.last().is_some_and(|bound| bound == last),
            [first, "…", last] => {
                bounds.first().is_some_and(|bound| bound == first)
                    && bounds.last().is_some_and(|bound| bound == last)
            }
            all => bounds == all,
        }
    }

    /// The differences to a metric of this name, or to those that have it as another name.
    fn differences(&self, defs: &[MetricDef]) -> Vec<String> {
        let mut differences = Vec::new();
        let mut differ = |what: &str, here: String, asked: String| {
            if here != asked {
                differences.push(format!("{}: {what} {here}, asked for {asked}", self.name));
            }
        };
        let metric = defs.iter().find(|def| def.name == self.name);
        let aliases = defs.iter().flat_map(|def| {
            let of_name = def.aliases.iter().filter(|alias| alias.name == self.name);
            of_name.map(move |alias| (def, alias))
        });
        let aliases: Vec<_> = aliases.collect();
        let mut profiles: BTreeSet<&str> = aliases.iter().map(|(_, one)| &*one.profile).collect();
        let asked: BTreeSet<&str> = self.profiles.iter().copied().collect();
        if metric.is_some() {
            profiles.clear();
        }
        differ("profiles", format!("{profiles:?}"), format!("{asked:?}"));
        let mut forms: Vec<_> = metric.iter().map(|def| Form::of(def)).collect();
        if forms.is_empty() {
            forms = Form::of_aliases(&aliases);
        }
        differ("forms", (!forms.is_empty()).to_string(), "true".to_owned());
        for form in forms {
            differ("kind", form.kind.to_string(), self.kind.to_owned());
            let labels: Vec<&str> = form.labels.iter().map(|(name, _)| &**name).collect();
            let mut sorted = (labels.clone(), self.labels.clone());
            // Labels that an older name adds come last.
            sorted.0.sort_unstable();
            sorted.1.sort_unstable();
            differ(
                "labels",
                format!("{:?}", sorted.0),
                format!("{:?}", sorted.1),
            );
            for (label, values) in self.labels.iter().zip(&self.values) {
                let here = form.labels.iter().find(|(name, _)| name == label);
                if !values.is_empty() {
                    let here = here.map(|(_, values)| values.iter().collect::<Vec<_>>());
                    differ(label, format!("{here:?}"), format!("{:?}", Some(values)));
                }
            }
            let buckets = format!("{:?}", form.buckets);
            let fits = self.has_buckets(form.buckets);
            differ(
                "buckets",
                buckets.clone(),
                if fits {
                    buckets
                } else {
                    self.buckets.join(" ")
                },
            );
        }
        differences
    }
}

/// What a metric is under one of its names.
struct Form<'d> {
    kind: Kind,
    /// Each label and its values, if it has no others.
    labels: Vec<(String, BTreeSet<String>)>,
    buckets: &'d [f64],
}

impl<'d> Form<'d> {
    fn of(def: &'d MetricDef) -> Self {
        let labels = def.labels.iter().map(|label| {
            let values = match def.allowed.get(label) {
                Some(Allowed::These(values)) => values.iter().map(ToString::to_string).collect(),
                _ => BTreeSet::new(),
            };
            (label.to_string(), values)
        });
        Self {
            kind: def.kind,
            labels: labels.collect(),
            buckets: &def.buckets,
        }
    }

    /// That of each metric that has the name, with all values that they add to a label.
    fn of_aliases(all: &[(&'d MetricDef, &'d Alias)]) -> Vec<Self> {
        let added = |label: &str| {
            let relabels = all.iter().flat_map(|(_, alias)| &alias.labels);
            let values = relabels.filter_map(|relabel| match relabel {
                Relabel::With(name, value) if name == label => Some(value.to_string()),
                _ => None,
            });
            values.collect::<BTreeSet<_>>()
        };
        let forms = all.iter().map(|(def, alias)| {
            let mut form = Self::of(def);
            for relabel in &alias.labels {
                match relabel {
                    Relabel::Rename(from, to) => {
                        let renamed = form.labels.iter_mut().filter(|(name, _)| name == from);
                        renamed.for_each(|(name, _)| *name = to.to_string());
                    }
                    Relabel::Without(label) => form.labels.retain(|(name, _)| name != label),
                    Relabel::With(label, _) => form.labels.push((label.to_string(), added(label))),
                    Relabel::Instance(label) => form.labels.push((label.to_string(), [].into())),
                    other => form.labels.push((format!("{other:?}"), [].into())),
                }
            }
            if !alias.buckets.is_empty() {
                form.buckets = &alias.buckets;
            }
            form
        });
        forms.collect()
    }
}

#[test]
fn every_metric_is_listed_as_systems_ask_for_it_and_none_costs_anything() {
    let defs = selfheal::catalogue().unwrap();
    let lines = ASKED
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let asked: Vec<_> = lines.map(|line| Asked::read(line).expect(line)).collect();
    assert!(asked.len() >= 130, "{}", asked.len());
    let differences: Vec<String> = asked
        .iter()
        .flat_map(|one| one.differences(&defs))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(Registry::new().series(), 0);
}

/// The labels whose values are all known and the metric, for labels of one kind on many metrics.
#[test]
fn a_label_with_values_that_are_all_known_has_them_wherever_it_is() {
    let defs = selfheal::catalogue().unwrap();
    let severities = ["healing_issues_detected_total", "active_alerts"];
    let open: Vec<String> = defs
        .iter()
        .flat_map(|def| def.labels.iter().map(move |label| (def, &**label)))
        .filter(|(def, label)| match *label {
            "severity" => severities.contains(&&*def.name),
            "method" => def.name.contains("http"),
            "status" => def.name.contains("grpc"),
            label => [
                "result",
                "state",
                "outcome",
                "encoding",
                "reason",
                "grpc_code",
            ]
            .contains(&label),
        })
        .filter(|(def, label)| !matches!(def.allowed.get(*label), Some(Allowed::These(_))))
        .map(|(def, label)| format!("{} {label}", def.name))
        .collect();
    assert_eq!(open, [""; 0]);
}

#[test]
fn every_alias_is_in_a_profile_that_there_is() {
    let known = selfheal::config::PROFILES;
    let defs = selfheal::catalogue().unwrap();
    let aliases: Vec<_> = defs.iter().flat_map(|def| &def.aliases).collect();
    assert!(aliases.len() >= 20, "{}", aliases.len());
    assert!(aliases.iter().all(|alias| known.contains(&&*alias.profile)));
}

/// With `UPDATE_GOLDEN=1` the file is written again.
#[test]
fn the_table_of_the_documentation_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs/catalogue.md");
    let text = markdown(&selfheal::catalogue().unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == text,
        "run this test with UPDATE_GOLDEN=1 and look at what changes"
    );
}

/// Yields what it does not describe.
struct Liar;

impl Collector for Liar {
    fn describe(&self) -> Vec<MetricDef> {
        let def = MetricDef::new(Kind::Gauge, "described", "").with_labels(["size"]);
        vec![def.allow("size", Allowed::these(["small", "large"]))]
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let one = |labels: &[(&str, &str)]| {
            SeriesSnapshot::new(labels.iter().copied(), Value::Number(Number::U64(1)))
        };
        let gauge = |name: &'static str| Arc::new(MetricDef::new(Kind::Gauge, name, ""));
        out.push(FamilySnapshot {
            def: gauge("described"),
            series: vec![
                one(&[("size", "small")]),
                one(&[("size", "other")]),
                one(&[("size", "huge")]),
                one(&[("colour", "red")]),
                one(&[("size", "large"), ("colour", "red")]),
            ],
        });
        out.push(FamilySnapshot {
            def: gauge("surprise"),
            series: vec![one(&[])],
        });
    }
}

#[test]
fn what_is_exposed_and_not_declared_fails_a_test_with_the_differences() {
    let registry = Registry::with_settings({
        let mut settings = Settings::default();
        settings.namespace = "shop".to_owned();
        settings.profiles.push(Profile::new("llm_incident_manager"));
        settings
    });
    selfheal::groups::LlmCall::start_in(&registry, "openai", "gpt-4", "chat").success(1, 2, 0.5);
    selfheal::testing::assert_value(
        &registry,
        "llm_cost_usd",
        &[("provider", "openai"), ("model", "gpt-4")],
        0.5,
    );
    check_catalogue(&registry);
    registry.collect_from(Arc::new(Liar)).unwrap();
    let reported = catch_unwind(|| check_catalogue(&registry)).unwrap_err();
    let reported = reported.downcast_ref::<String>().unwrap();
    for part in [
        "4 place(s)",
        "shop_surprise: no metric of this name is declared",
        "\"size\" cannot be \"huge\"",
        "the label \"size\" is missing",
        "the label \"colour\" is not declared",
    ] {
        assert!(reported.contains(part), "{part} in {reported}");
    }
}
