use std::time::Duration;

use proptest::prelude::*;
use std::fmt::Write as _;

use crate::rules::*;

/// The faults of a file, one per line.
fn faults(text: &str) -> Vec<String> {
    match RuleFile::parse("alerts.yml", text) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_field_of_the_format_is_read() {
    let file = RuleFile::parse(
        "alerts.yml",
        r#"
# a comment
groups:
- name: first
  interval: 15s
  query_offset: 30s
  limit: 10
  labels: {team: shop, severity: info}
  rules:
  - record: job:requests:rate5m
    expr: sum by (job) (rate(http_requests_total[5m]))
    labels:
      team: other
  - alert: Slow
    expr: |
      max by (path) (
        rate(http_request_duration_seconds_sum[5m])
      ) > 0.5
    for: 1h30m
    keep_firing_for: 5m
    labels: &labels
      severity: page
      number: 1
      empty:
    annotations:
      summary: 'p99 is {{ $value | humanizeDuration }}'
      runbook: "a\tb"
  - alert: "Slower"
    expr: up == 0
    labels:
      <<: *labels
      severity: ticket
- name: second
"#,
    )
    .unwrap();
    let [first, second] = &*file.groups else {
        panic!("{file:?}");
    };
    assert_eq!((&*first.name, first.limit), ("first", 10));
    assert_eq!(first.interval, Some(Duration::from_secs(15)));
    assert_eq!(first.query_offset, Duration::from_secs(30));
    assert_eq!((second.rules.len(), second.interval), (0, None));
    let labels = |rule: &FileRule| -> Vec<_> {
        let labels = rule.labels.iter();
        labels
            .map(|(name, text)| format!("{name}={}", text.as_str()))
            .collect()
    };
    let [record, slow, slower] = &*first.rules else {
        panic!("{first:?}");
    };
    assert_eq!(
        (&*record.name, record.alerting.is_none()),
        ("job:requests:rate5m", true)
    );
    assert_eq!(labels(record), ["severity=info", "team=other"]);
    assert_eq!(
        labels(slow),
        ["empty=", "number=1", "severity=page", "team=shop"]
    );
    assert_eq!(
        labels(slower),
        ["empty=", "number=1", "severity=ticket", "team=shop"]
    );
    let alerting = slow.alerting.as_ref().unwrap();
    assert_eq!(alerting.hold, Duration::from_secs(5_400));
    assert_eq!(alerting.keep_firing_for, Duration::from_secs(300));
    assert_eq!(alerting.annotations[0].1.as_str(), "a\tb");
    assert!(slow.expr.text().starts_with("max by (path)"));
    assert_eq!((slow.place.line, slow.place.column), (14, 5));
}

#[test]
fn an_empty_file_has_no_groups() {
    for text in [
        "",
        "# nothing\n",
        "groups:\n",
        "groups: []",
        "---\ngroups:\n",
        "\u{feff}groups:",
    ] {
        let file = RuleFile::parse("a.yml", text).unwrap();
        assert!(file.groups.is_empty(), "{text}");
    }
}

#[test]
fn a_resource_of_kubernetes_is_refused_with_the_part_that_is_wanted() {
    let text = "kind: PrometheusRule\nspec:\n  groups: []\n";
    let error = RuleFile::parse("a.yml", text).unwrap_err().to_string();
    for line in [
        "1:1: a rule file has no field `kind`; its fields are `groups`",
        "2:1: a rule file has no field `spec`; in a `PrometheusRule` of Kubernetes, the rule file \
         is what is under `spec`",
    ] {
        assert!(error.contains(line), "{error}");
    }
}

#[test]
fn all_faults_are_reported_at_once_with_line_and_column() {
    let text = r"groups:
- name: first
  intervall: 1m
  interval: 5 minutes
  limit: many
  rules:
  - alert: A
    expr: sum(rate(x[5m])
    for: 5
    lables: {}
    annotations:
      summary: >
        it is
        {{ $value | humanise }}
  - record: bad{name}
    expr: up
    for: 5m
  - record: a
    alert: b
    expr: up
  - expr: up
  - alert: C
    expr: ''
    labels: {__name__: x}
- name: first
- rules: []
rules: []
";
    let duration = "write whole numbers with ms, s, m, h, d, w or y, such as 5m or 1h30m";
    let neither = "name the series that it records, or its alert";
    assert_eq!(
        faults(text),
        [
            "3:3: a group has no field `intervall`; did you mean `interval`?",
            &format!("4:13: `5 minutes` is not a duration; {duration}"),
            "5:10: `many` is not a limit; write a whole number",
            "8:26: unclosed left parenthesis; correct the expression",
            &format!("9:10: `5` is not a duration; {duration}"),
            "10:5: a rule has no field `lables`; did you mean `labels`?",
            "14:21: there is no function `humanise`; did you mean `humanize`?",
            "15:13: `bad{name}` is not a valid name of a series; leave the braces to `expr`",
            "17:5: a recording rule has no `for`; remove it, or write `alert` for `record`",
            "18:5: the rule has both `record` and `alert`; make two rules of it",
            &format!("21:5: the rule has neither `record` nor `alert`; {neither}"),
            "23:11: `expr` is empty; write it",
            "24:14: `__name__` is not a valid label name; use another",
            "25:3: the group `first` is already in line 2; give it another name",
            "26:3: a group needs `name`; add it",
            "27:1: a rule file has no field `rules`; its fields are `groups`",
        ]
    );
    let error = RuleFile::parse("shop/alerts.yml", text).unwrap_err();
    let start = "the rule file has 16 fault(s):\nshop/alerts.yml:3:3: a group";
    assert!(error.to_string().starts_with(start), "{error}");
}

#[test]
fn a_fault_in_a_text_points_at_its_place_whatever_its_quotes() {
    for (text, place) in [
        ("summary: '''{{ foo }}'''", "7:25"),
        (r#"summary: "a \"b\n\" {{ foo }}""#, "7:33"),
        ("summary: |-\n          a\n\n          {{ foo }}", "10:14"),
        ("summary: é {{ foo }}", "7:24"),
        ("summary: a\n          b {{ foo }}", "8:16"),
    ] {
        let file = format!(
            "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    annotations:\n         {text}\n"
        );
        let problem = "there is no function `foo`; use one of Prometheus' template functions";
        assert_eq!(faults(&file), [format!("{place}: {problem}")], "{file}");
    }
}

#[test]
fn further_lines_of_a_quoted_text_have_any_indentation() {
    let file = r#"groups:
- name: g
  rules:
  - alert: A
    expr: up
    annotations:
      a: "one \"
      two
 three

      \n four \
      , five"
      b: 'it''s
one'
      c: "x
      y"
  - {alert: B, expr: "x +
y", annotations: {a: 'é
  {{ $labels.x }}'}}
"#;
    let rules = &RuleFile::parse("a.yml", file).unwrap().groups[0].rules;
    let texts = |rule: &FileRule| -> Vec<String> {
        let annotations = rule.alerting.as_ref().unwrap().annotations.iter();
        annotations
            .map(|(_, text)| text.as_str().to_owned())
            .collect()
    };
    let wanted = ["one \" two three\n\n four , five", "it's one", "x y"];
    assert_eq!(texts(&rules[0]), wanted);
    assert_eq!(rules[1].expr.text(), "x + y");
    assert_eq!(texts(&rules[1]), ["é {{ $labels.x }}"]);
    let wrong = file.replace("$labels.x", "$lobels.x");
    let fault = &faults(&wrong)[0];
    assert!(fault.starts_with("19:6: "), "{fault}");
    let open = file.replace("y\"\n", "y\n");
    assert!(faults(&open)[0].contains("it is not YAML"));
}

#[test]
fn what_is_no_rule_file_is_refused_with_its_place() {
    for (text, fault) in [
        ("groups: [", "it is not YAML"),
        (
            "groups:\n- name: a\n  name: b\n",
            "3:3: `name` is already set in line 2; set it once",
        ),
        (
            "- a\n",
            "1:1: a rule file is a map of fields, but this is not",
        ),
        ("groups: x", "1:9: `groups` is a list"),
        (
            "groups:\n- x\n",
            "2:3: a group is a map of fields, but this is not",
        ),
        (
            "groups:\n- name: [a]\n",
            "2:9: `name` is a string, but this is a list or a map",
        ),
        (
            "groups:\n---\ngroups:\n",
            "2:1: a second document begins here",
        ),
        (
            "groups: &a\n- *a\n",
            "this alias refers to a value that contains it",
        ),
    ] {
        let found = faults(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(fault), "{text}: {found:?}");
    }
}

#[test]
fn a_file_that_explodes_by_aliases_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = level - 1;
        let list = vec![format!("*a{before}"); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{list}]").unwrap();
    }
    let found = faults(&text);
    assert!(found[0].contains("more than 1000000 values"), "{found:?}");
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert!(faults(&deep)[0].contains("levels deep"));
}

#[test]
fn two_groups_of_one_name_are_reported_with_file_line_and_column() {
    let text =
        "groups:\n- name: a\n  rules: []\n- name: b\n  rules: []\n-\n  name: a\n  rules: []\n";
    let error = RuleFile::parse("rules/shop.yml", text).unwrap_err();
    let shown = error.to_string();
    assert!(
        shown.contains("rules/shop.yml:7:3: the group `a` is already in line 2"),
        "{shown}"
    );
}

#[test]
fn a_file_too_large_or_not_there_is_an_error_of_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.yml");
    let error = RuleFile::read(&path).unwrap_err();
    assert!(error.to_string().contains("check its path"), "{error}");
    std::fs::write(&path, "#".repeat(5 << 20)).unwrap();
    let error = RuleFile::read(&path).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("larger than 4 MiB"), "{source}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "([a-z&*!|>%@`'\"#\\[\\]{}:,?. \n\t-]|groups:|\n  - |\n- |name: |rules:|expr: |é|<<: ){0,30}",
    ) {
        let _ = RuleFile::parse("a.yml", &text);
    }
}
