use std::ops::ControlFlow;
use std::sync::Arc;

use crate::registry::{
    Counter, DeclareError, Family, FamilySettings, GaugeFn, Info, LabelValue, Number, Registry,
    Settings, StateSet, Text, Value,
};

#[derive(Clone, Copy)]
enum Phase {
    Starting,
    Serving,
    /// Not a listed value.
    Beyond,
}

impl LabelValue for Phase {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["starting", "serving"];
    fn index(&self) -> usize {
        *self as usize
    }
}

/// The samples of a registry that only has numbers.
fn samples(registry: &Registry) -> Vec<(String, f64)> {
    let mut out = Vec::new();
    for family in registry.gather() {
        for series in family.series {
            let Value::Number(number) = series.value else {
                panic!("{series:?}");
            };
            let name = &family.def.name;
            out.push((format!("{name}{{{}}}", series.labels), number.as_f64()));
        }
    }
    out
}

fn names(registry: &Registry) -> Vec<String> {
    samples(registry)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn a_state_is_the_only_one_or_one_of_several() {
    let registry = Registry::new();
    let phase: StateSet<Phase> = registry.state_set("phase", "").build().unwrap();
    let on = || [Phase::Starting, Phase::Serving].map(|state| phase.has(state));
    assert_eq!(on(), [false, false]);
    phase.set(Phase::Starting);
    phase.set(Phase::Serving);
    assert_eq!(on(), [false, true]);
    phase.switch(Phase::Starting, true);
    assert_eq!(on(), [true, true]);
    phase.switch(Phase::Serving, false);
    assert_eq!(on(), [true, false]);
    assert_eq!(
        samples(&registry),
        [
            (r#"phase{phase="starting"}"#.to_owned(), 1.0),
            (r#"phase{phase="serving"}"#.to_owned(), 0.0),
        ]
    );
    phase.clear();
    phase.switch(Phase::Beyond, true);
    assert_eq!(on(), [false, false]);
    phase.set(Phase::Serving);
    phase.set(Phase::Beyond);
    assert_eq!((on(), phase.has(Phase::Beyond)), ([false, false], false));
}

#[test]
fn who_reads_in_steps_gets_every_state() {
    let registry = Registry::new();
    let phases: Family<StateSet<Phase>, [Text; 1]> =
        registry.state_set("phase", "").labels(["of"]).unwrap();
    for of in ["a", "b", "c"] {
        phases.set(&[of], Phase::Serving);
    }
    let scrape = registry.scrape();
    let family = &scrape.families()[0];
    assert!(!family.labels_are_declared());
    let (mut seen, mut next, mut steps) = (Vec::new(), Some(0), 0);
    while let Some(from) = next {
        steps += 1;
        next = family.each_from(from, &mut |labels, _| {
            seen.push(labels.to_owned());
            ControlFlow::Break(())
        });
    }
    let want: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .flat_map(|of| {
            Phase::VALUES
                .iter()
                .map(move |state| format!("of=\"{of}\",phase=\"{state}\""))
        })
        .collect();
    assert_eq!(seen, want);
    assert!(steps >= 3, "one series at a time");
}

#[test]
fn a_state_set_has_rules_of_its_own() {
    let registry = Registry::new();
    for (name, problem) in [
        ("phase_total", "ends in _total"),
        ("phase_info", "ends in _info"),
        ("phase_bucket", "which the exposition adds"),
        ("phase_seconds", "ends in a unit"),
    ] {
        let error = registry.state_set::<Phase>(name, "").build().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(problem), "{text}");
    }
    let error = registry
        .state_set::<Phase>("phase", "")
        .labels::<[Text; 1]>(["phase"])
        .unwrap_err();
    assert!(
        error.to_string().contains("is the label of the state"),
        "{error}"
    );
    assert!(registry.own_families().is_empty());
}

#[test]
fn an_info_is_there_until_it_is_taken_back() {
    let registry = Registry::new();
    let pairs = [("edition".to_owned(), "x\"y".to_owned())];
    let borrowed = pairs.iter().map(|(name, value)| (&**name, &**value));
    registry.info("app_info", "App").pairs(borrowed).unwrap();
    let models: Family<Info, [Text; 1]> = registry.info("model_info", "").labels(["v"]).unwrap();
    models.with(&["7"]);
    models.with(&["8"]);
    assert!(models.remove(&["7"]));
    let want = [r#"app_info{edition="x\"y"}"#, r#"model_info{v="8"}"#];
    assert_eq!(samples(&registry), want.map(|name| (name.to_owned(), 1.0)));
    let labels = |name| {
        registry
            .catalog()
            .into_iter()
            .find(|def| def.name == name)
            .unwrap()
            .labels
    };
    assert_eq!(labels("app_info"), ["edition"]);
}

#[test]
fn an_info_that_breaks_a_rule_is_an_error() {
    let registry = Registry::new();
    let error = registry.info("app", "").build().unwrap_err();
    assert!(
        error.to_string().contains("does not end in _info"),
        "{error}"
    );
    let twice = registry
        .info("app_info", "")
        .pairs([("a", "1"), ("a", "2")]);
    assert!(
        matches!(twice, Err(DeclareError::Label { .. })),
        "{twice:?}"
    );
    registry.info("app_info", "").pairs([("a", "1")]).unwrap();
    let other = registry.info("app_info", "").pairs([("b", "1")]);
    assert!(
        matches!(other, Err(DeclareError::Clash { .. })),
        "{other:?}"
    );
    registry.info("app_info", "").pairs([("a", "2")]).unwrap();
    assert_eq!(
        names(&registry),
        [r#"app_info{a="1"}"#, r#"app_info{a="2"}"#]
    );
}

#[test]
fn a_function_is_asked_when_someone_asks() {
    let registry = Registry::new();
    let held = Arc::new(());
    let keep = Arc::clone(&held);
    let gauge = registry
        .gauge_fn("holders", "", move || Arc::strong_count(&keep) as f64)
        .unwrap();
    assert_eq!(samples(&registry), [("holders{}".to_owned(), 2.0)]);
    let more = Arc::clone(&held);
    assert_eq!(gauge.get(), Some(3.0));
    drop(more);
    let same = registry.gauge_fn("holders", "", || 7.0).unwrap();
    assert_eq!(gauge.get(), Some(7.0), "the second declaration replaces it");
    assert_eq!(Arc::strong_count(&held), 1, "and drops what it owned");
    same.clear();
    assert_eq!((gauge.get(), samples(&registry)), (None, Vec::new()));
}

#[test]
fn functions_have_labels_and_go_with_their_series() {
    let registry = Registry::new();
    let pools: Family<GaugeFn, [Text; 1]> = registry
        .gauge_fns("connections", "")
        .labels(["pool"])
        .unwrap();
    let held = Arc::new(());
    let keep = Arc::clone(&held);
    pools.set(&["a"], move || Arc::strong_count(&keep) as f64);
    pools.set(&["b"], || f64::NAN);
    let named = [r#"connections{pool="a"}"#, r#"connections{pool="b"}"#];
    assert_eq!(names(&registry), named);
    assert!(pools.clear(&["a"]));
    assert!(!pools.clear(&["a"]));
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(names(&registry), named[1..]);
}

#[test]
fn a_function_that_panics_is_left_out_and_counted() {
    let registry = Registry::new();
    registry
        .gauge_fn("bad", "", || std::panic::resume_unwind(Box::new("no")))
        .unwrap();
    registry.gauge_fn("good", "", || 1.0).unwrap();
    assert_eq!(names(&registry), ["good{}"]);
    let counted = (
        r#"selfheal_values_rejected_total{metric="bad"}"#.to_owned(),
        1.0,
    );
    assert!(samples(&registry).contains(&counted));
}

#[test]
fn a_function_that_scrapes_or_declares_comes_to_an_end() {
    let registry = Registry::new();
    let inside = registry.clone();
    registry
        .gauge_fn("series_seen", "", move || {
            let other = inside.gauge_fn("other", "", || 1.0);
            assert!(other.is_ok_and(|other| other.get().is_none()));
            inside
                .gather()
                .iter()
                .map(|family| family.series.len())
                .sum::<usize>() as f64
        })
        .unwrap();
    registry.counter("a_total", "").build().unwrap();
    let seen = samples(&registry);
    assert!(
        seen.contains(&("series_seen{}".to_owned(), 1.0)),
        "{seen:?}"
    );
}

#[test]
fn what_is_switched_off_is_neither_asked_nor_exposed() {
    let mut settings = Settings::default();
    for name in [
        "phase",
        "app_info",
        "load",
        "a_total",
        "b_total",
        "c_seconds",
        "d_seconds",
    ] {
        let off = FamilySettings {
            enabled: false,
            ..FamilySettings::default()
        };
        settings.metrics.family.insert(name.to_owned(), off);
    }
    let registry = Registry::with_settings(settings);
    let phase = registry.state_set("phase", "").build().unwrap();
    phase.set(Phase::Serving);
    registry.info("app_info", "").pairs([("a", "1")]).unwrap();
    registry
        .gauge_fn("load", "", || std::panic::resume_unwind(Box::new("asked")))
        .unwrap();
    let plain: Family<Counter, [Text; 1]> = registry.counter("a_total", "").labels(["of"]).unwrap();
    plain.inc(&["x"]);
    let handle = plain.with(&["x"]);
    handle.inc();
    let striped = registry.counter("b_total", "").striped().build().unwrap();
    striped.inc();
    let histogram = registry.histogram("c_seconds", "").build().unwrap();
    histogram.observe(1.0);
    let both = registry
        .histogram("d_seconds", "")
        .striped()
        .build()
        .unwrap();
    both.observe(1.0);
    assert_eq!((handle.get(), striped.get(), plain.len()), (0, 0, 0));
    assert_eq!(
        (histogram.snapshot().count(), both.snapshot().count()),
        (0, 0)
    );
    assert!(!phase.has(Phase::Serving));
    assert!(plain.get(&["x"]).is_none() && !plain.remove(&["x"]));
    assert_eq!(samples(&registry), []);
    assert_eq!(registry.series(), 0);
}

#[test]
fn a_family_gives_a_copy_with_its_states() {
    let registry = Registry::new();
    let phases: Family<StateSet<Phase>, [Text; 1]> =
        registry.state_set("phase", "").labels(["of"]).unwrap();
    phases.set(&["a"], Phase::Starting);
    let copy = phases.snapshot();
    let labels: Vec<_> = copy.series.iter().map(|series| &*series.labels).collect();
    assert_eq!(
        labels,
        [r#"of="a",phase="starting""#, r#"of="a",phase="serving""#]
    );
    assert_eq!(copy.series[0].value, Value::Number(Number::U64(1)));
}
