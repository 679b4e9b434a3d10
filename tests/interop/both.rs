use prometheus::{IntCounter, IntGauge};
use selfheal::interop::{from_prometheus, to_prometheus};
use selfheal::registry::{Registry, Settings};

use crate::support::{number, text};

/// Both directions on, in either order, with a metric on each side and global labels, which
/// would give away a series that went round.
fn both(to_first: bool) -> (Registry, prometheus::Registry) {
    let mut settings = Settings::default();
    settings
        .global_labels
        .insert("env".to_owned(), "test".to_owned());
    let (ours, theirs) = (
        Registry::with_settings(settings),
        prometheus::Registry::new(),
    );
    ours.counter("ours_total", "Ours").build().unwrap().inc();
    let old = IntCounter::new("theirs_total", "Theirs").unwrap();
    theirs.register(Box::new(old.clone())).unwrap();
    old.inc_by(2);
    if to_first {
        to_prometheus(&ours, &theirs).unwrap();
        from_prometheus(&ours, &theirs).unwrap();
    } else {
        from_prometheus(&ours, &theirs).unwrap();
        to_prometheus(&ours, &theirs).unwrap();
    }
    (ours, theirs)
}

#[test]
fn both_directions_at_once_neither_loop_nor_repeat() {
    for to_first in [true, false] {
        let (ours, theirs) = both(to_first);
        let catalog = ours.catalog();
        let catalog = catalog.iter().filter(|def| def.group != "selfheal");
        let names: Vec<&str> = catalog.map(|def| &*def.name).collect();
        let want = [
            "ours_total",
            "selfheal_prometheus_skipped_total",
            "theirs_total",
        ];
        assert_eq!(names, want, "the catalog takes nothing of ours for theirs");
        for _ in 0..2 {
            // A cycle would return it with the global label as a label of its own.
            let series: Vec<String> = ours
                .gather()
                .iter()
                .flat_map(|family| family.series.iter().map(|s| (&family.def.name, &s.labels)))
                .map(|(name, labels)| format!("{name}{{{labels}}}"))
                .collect();
            let want = [
                "ours_total{}",
                "selfheal_prometheus_skipped_total{}",
                "theirs_total{}",
            ];
            assert_eq!(series, want);
            assert_eq!(number(&ours, "ours_total", ""), Some(1.0));
            assert_eq!(number(&ours, "theirs_total", ""), Some(2.0));
            let text = text(&theirs);
            let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
            let want = [
                r#"ours_total{env="test"} 1"#,
                r#"selfheal_prometheus_skipped_total{env="test"} 0"#,
                "theirs_total 2",
            ];
            assert_eq!(lines, want);
        }
        assert_eq!(
            number(&ours, "selfheal_collectors_skipped_total", ""),
            None,
            "nothing clashed"
        );
    }
}

#[test]
fn a_registry_between_two_others_is_passed_on_once() {
    // ours -> middle -> theirs, and from there back into ours: no name occurs twice.
    let (ours, middle) = (Registry::new(), Registry::new());
    let theirs = prometheus::Registry::new();
    middle.gauge("depth", "Depth").build().unwrap().set(7);
    to_prometheus(&middle, &theirs).unwrap();
    from_prometheus(&ours, &theirs).unwrap();
    from_prometheus(&middle, &theirs).unwrap();
    assert_eq!(number(&ours, "depth", ""), Some(7.0));
    assert_eq!(number(&middle, "depth", ""), Some(7.0));
}

#[test]
fn scrapes_and_registrations_on_many_threads_come_to_an_end() {
    let (ours, theirs) = both(true);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (ours, theirs) = (&ours, &theirs);
            scope.spawn(move || {
                for round in 0..50 {
                    let name = format!("depth_{thread}_{round}");
                    let gauge = IntGauge::new(name, "Depth").unwrap();
                    theirs.register(Box::new(gauge)).unwrap();
                    if thread % 2 == 0 {
                        assert_eq!(number(ours, "ours_total", ""), Some(1.0));
                    } else {
                        assert!(text(theirs).contains("ours_total{env=\"test\"} 1"));
                    }
                }
            });
        }
    });
    assert_eq!(ours.gather().len(), 203);
}
