//! Cases at the edge of the language, which the corpus does not have.

use selfheal::promql::{
    FloatHistogram, LabelSet, PointValue, Query, QueryOptions, QueryResult, Sample, Series,
};

fn series(name: &str, path: &str, value: impl Into<PointValue>) -> Series {
    let value = value.into();
    Series {
        labels: LabelSet::new([("__name__", name), ("path", path)]),
        samples: vec![Sample {
            time: 60_000,
            value,
        }],
    }
}

fn count(expression: &str) -> Result<usize, String> {
    let series = [
        series("x", "/a", 1.0),
        series("x", "/b", 1.0),
        series("y", "/a", 1.0),
        series("n", "/a", FloatHistogram::default()),
    ];
    let query = Query::parse(expression).unwrap();
    let answer = query.instant(&series[..], 60_000, &QueryOptions::default());
    match answer.map_err(|error| error.to_string())?.result {
        QueryResult::Vector(found) => Ok(found.len()),
        other => panic!("{expression} is no vector: {other:?}"),
    }
}

#[test]
fn what_matches_nothing_needs_no_unique_labels() {
    for expression in [
        "x + on () none",
        "none + on () x",
        "x / on () group_right () none",
        "none > on () group_left () x",
    ] {
        assert_eq!(count(expression), Ok(0), "{expression}");
    }
    let error = count("x + on () x").unwrap_err();
    assert!(error.contains("found duplicate series"), "{error}");
}

#[test]
fn pairs_without_a_value_need_not_be_one_to_one() {
    let both = "{__name__=~\"x|y\"}";
    assert_eq!(count(&format!("{both} atan2 n")), Ok(0));
    assert_eq!(count(&format!("{both} > n")), Ok(0));
    let error = count(&format!("{both} * n")).unwrap_err();
    assert!(
        error.contains("many-to-one matching must be explicit"),
        "{error}"
    );
}

#[test]
fn an_error_is_one_also_if_the_result_is_empty() {
    assert_eq!(count("clamp(x, 5, 3)"), Ok(0));
    let error = count("clamp(x + on () x, 5, 3)").unwrap_err();
    assert!(error.contains("found duplicate series"), "{error}");
}

#[test]
fn no_series_are_selected_by_a_count_below_one_however_low() {
    for count_of in ["0.9", "-1", "-1e30", "-Inf"] {
        for op in ["topk", "bottomk", "limitk"] {
            let expression = format!("{op}({count_of}, x)");
            assert_eq!(count(&expression), Ok(0), "{expression}");
        }
    }
    assert_eq!(count("topk(1.9, x)"), Ok(1));
    for (expression, wrong) in [
        ("topk(NaN, x)", "Parameter value is NaN"),
        ("limitk(1e30, x)", "overflows int64"),
    ] {
        let error = count(expression).unwrap_err();
        assert!(error.contains(wrong), "{error}");
    }
}
