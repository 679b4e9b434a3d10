//! State sets and info metrics, as a parser that is not ours reads them.

use openmetrics_parser::openmetrics::parse_openmetrics;
use openmetrics_parser::{OpenMetricsType, OpenMetricsValue};
use selfheal::encode::{Format, append};
use selfheal::registry::{Family, Info, LabelValue, Registry, Settings, StateSet, Text};

#[derive(Clone, Copy)]
enum Door {
    Open,
    Shut,
    Odd,
}

impl LabelValue for Door {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["open", "shut", "o\"d\\d"];
    fn index(&self) -> usize {
        *self as usize
    }
}

fn registry() -> Registry {
    let mut settings = Settings::default();
    settings.namespace.push_str("shop");
    settings
        .global_labels
        .insert("env".to_owned(), "test".to_owned());
    let registry = Registry::with_settings(settings);
    let doors: Family<StateSet<Door>, [Text; 1]> = registry
        .state_set("door", "Doors")
        .labels(["floor"])
        .unwrap();
    doors.set(&["1"], Door::Open);
    doors.set(&["1"], Door::Shut);
    doors.with(&["2"]).switch(Door::Open, true);
    doors.with(&["2"]).switch(Door::Odd, true);
    registry
        .state_set::<Door>("gate", "The gate")
        .standard_name()
        .build()
        .unwrap()
        .set(Door::Shut);
    let loaded: Family<Info, [Text; 1]> =
        registry.info("model_info", "Model").labels(["v"]).unwrap();
    loaded.with(&["7"]);
    registry
}

fn page(format: Format) -> String {
    let mut out = Vec::new();
    let written = append(&registry().scrape(), format, &mut out);
    assert_eq!((written.series, written.skipped), (10, 0));
    String::from_utf8(out).unwrap()
}

#[test]
fn openmetrics_has_them_as_what_they_are() {
    let page = page(Format::OPEN_METRICS);
    let exposition = parse_openmetrics(&page).unwrap_or_else(|e| panic!("{e}\n{page}"));
    let read = |name: &str| {
        let family = &exposition.families[name];
        let samples = family.iter_samples().map(|sample| {
            let labels = sample.get_labelset().unwrap();
            let labels = labels.iter().map(|(name, value)| format!("{name}={value}"));
            let value = match &sample.value {
                OpenMetricsValue::StateSet(value) => value.as_f64(),
                value => panic!("{value:?}"),
            };
            (labels.collect::<Vec<_>>().join(" "), value)
        });
        (family.family_type, samples.collect::<Vec<_>>())
    };
    let (kind, doors) = read("shop_door");
    assert_eq!(kind, OpenMetricsType::StateSet);
    let want = [
        ("env=test floor=1 shop_door=open", 0.0),
        ("env=test floor=1 shop_door=shut", 1.0),
        ("env=test floor=1 shop_door=o\"d\\d", 0.0),
        ("env=test floor=2 shop_door=open", 1.0),
        ("env=test floor=2 shop_door=shut", 0.0),
        ("env=test floor=2 shop_door=o\"d\\d", 1.0),
    ];
    assert_eq!(
        doors,
        want.map(|(labels, value)| (labels.to_owned(), value))
    );
    let (_, gate) = read("gate");
    assert_eq!(gate[1], ("env=test gate=shut".to_owned(), 1.0));
    assert!(
        page.contains("# TYPE shop_model info\nshop_model_info{env=\"test\",v=\"7\"} 1\n"),
        "{page}"
    );
}

#[test]
fn the_older_text_has_gauges() {
    let page = page(Format::TEXT);
    for line in [
        "# TYPE shop_door gauge\n",
        "shop_door{env=\"test\",floor=\"1\",shop_door=\"shut\"} 1\n",
        "gate{env=\"test\",gate=\"o\\\"d\\\\d\"} 0\n",
        "# TYPE shop_model_info gauge\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
}
