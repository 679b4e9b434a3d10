//! Texts that are meant to break a parser or an evaluator.

use proptest::prelude::*;

use selfheal::promql::{LabelSet, Query, QueryError, QueryOptions, QueryRange, Sample, Series};

fn series() -> Vec<Series> {
    let labels = |zone| LabelSet::new([("__name__", "x"), ("zone", zone)]);
    let samples = (0..20).map(|at| Sample {
        time: at * 15_000,
        value: f64::from(u8::try_from(at).unwrap()).into(),
    });
    let samples: Vec<Sample> = samples.collect();
    let series = |zone| Series {
        labels: labels(zone),
        samples: samples.clone(),
    };
    vec![series("a"), series("b")]
}

/// Parses and evaluates, whatever comes of it.
fn survive(text: &str) {
    let Ok(query) = Query::parse(text) else {
        return;
    };
    let options = QueryOptions::default();
    let series = series();
    let _ = query.instant(&series[..], 300_000, &options);
    let range = QueryRange {
        start: 0,
        end: 60_000,
        step: 15_000,
    };
    let _ = query.range(&series[..], range, &options);
}

#[test]
fn an_expression_that_is_nested_deep_is_an_error() {
    for text in [
        format!("{}1{}", "(".repeat(60_000), ")".repeat(5_000)),
        format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("{}x{}", "sum(".repeat(10_000), ")".repeat(10_000)),
        format!("{}x", "-".repeat(50_000)),
        format!("1{}", " + 1".repeat(15_000)),
        format!("x{}", " or x".repeat(10_000)),
        format!("x{}", " ^ x".repeat(10_000)),
        format!("x{}", "[1m:1s]".repeat(9_000)),
        "{".repeat(60_000),
        format!("{}x", "a,".repeat(30_000)),
    ] {
        let error = Query::parse(&text).expect_err("too deep");
        assert!(matches!(error, QueryError::Syntax { .. }), "{error}");
    }
}

#[test]
fn an_expression_as_deep_as_is_allowed_fits_the_stack_of_a_thread() {
    let deep = format!("{}x{}", "sum(".repeat(199), ")".repeat(199));
    let wide = format!("x{}", " + x".repeat(199));
    let mixed = format!("{}x{}", "-(1 + ".repeat(66), ")".repeat(66));
    // The stack size of a tokio thread, for a debug build.
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let all = thread.spawn(move || {
        for text in [&deep, &wide, &mixed] {
            assert!(Query::parse(text).is_ok(), "{text}");
            survive(text);
        }
    });
    all.unwrap().join().unwrap();
}

#[test]
fn numbers_beyond_all_bounds_are_errors_or_values() {
    for text in [
        "x[1e30]",
        "x[99999999999999999999y]",
        "x[1e400]",
        "x[0x7fffffffffffffff]",
        "x offset 1e30",
        "x offset -99999999y",
        "x @ 1e300",
        "x @ -1e300",
        "x @ NaN",
        "x @ Inf",
        "x @ 9223372036854775",
        "x[5m] @ 9e15",
        "sum_over_time(x[100y:1ms])",
        "sum_over_time(x[5m:0])",
        "x[0]",
        "x[5m:]",
        "sum_over_time(sum_over_time(x[100y:1h])[100y:1h])",
        "topk(1e300, x)",
        "topk(-1e300, x)",
        "topk(NaN, x)",
        "quantile(NaN, x)",
        "round(x, 0)",
        "clamp(x, NaN, NaN)",
        "predict_linear(x[5m], 1e308)",
        "label_replace(x, \"a\", \"$1$99$x${y}\", \"zone\", \"(((((.*)))))\")",
        "label_replace(x, \"a\", \"$1\", \"zone\", \"(\")",
        "label_join(x, \"\", \"\", \"\")",
        "count_values(\"\", x)",
        "histogram_quantile(NaN, x)",
        "day_of_month(vector(1e300))",
        "year(vector(-1e300))",
        "x{zone=~\"(a{1000}){1000}\"}",
        "x{zone=~\"\\\\xff\"}",
        "\"\\xff\\777\\u12\"",
        "{__name__=~\".+\"}",
        "{}",
        "-",
        "",
        "#",
        "\u{feff}x",
        "x == bool y ==",
        "1e",
        "0x",
        "sum",
        "sum()",
        "sum by",
        "x[",
        "x @",
        "x offset",
        "'",
        "\"\\",
    ] {
        survive(text);
    }
}

#[test]
fn a_fault_points_into_the_expression() {
    for (text, place) in [
        ("sum(up", "1:7"),
        ("1 + * 2", "1:5"),
        ("up ==\n  down down", "2:8"),
        ("rate(up)", "1:1"),
        ("up + nonsense(up)", "1:6"),
        ("up{zone=~\"(\"}", "1:10"),
    ] {
        let error = Query::parse(text).expect_err(text);
        let found = error.place().expect("a place").to_string();
        assert_eq!(found, place, "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(text in ".{0,80}") {
        survive(&text);
    }

    #[test]
    fn any_words_of_the_language_are_survived(
        words in prop::collection::vec(prop::sample::select(vec![
            "sum", "rate", "topk", "(", ")", "x", "{", "}", "[5m]", "[5m:1m]", "[", "]", "by",
            "without", "on", "ignoring", "group_left", "bool", "zone", ",", "=", "=~", "!=", "\"a\"",
            "\".*\"", "+", "-", "*", "/", "%", "^", "==", ">", "and", "or", "unless", "offset", "5m",
            "@", "0", "1e9", "NaN", "Inf", "start()", "end()", "scalar", "vector", "time()", ":",
            "absent", "label_replace", "quantile_over_time", "atan2", "'", "`", "\\", "#", "\n",
        ]), 0..24),
    ) {
        survive(&words.join(" "));
    }
}
