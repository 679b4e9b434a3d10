use std::sync::Arc;

use proptest::prelude::*;

use super::value::Labels;
use super::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let pairs = pairs
        .iter()
        .map(|(name, text)| (Arc::from(*name), Arc::from(*text)));
    pairs.collect()
}

fn rendered(text: &str, value: f64) -> Result<String, String> {
    let data = Arc::new(Data {
        labels: labels(&[("instance", "web-1:80"), ("job", "shop")]),
        external_labels: labels(&[("region", "north")]),
        external_url: Arc::from("http://example.org/prom"),
        value,
        now: 1_500,
    });
    let mut ask = |text: &str| match text {
        "none" => Ok(Vec::new()),
        "two" => Ok(vec![
            Found {
                labels: labels(&[("instance", "b")]),
                value: 2.0,
            },
            Found {
                labels: labels(&[("instance", "a")]),
                value: 1.0,
            },
        ]),
        _ => Err("the query failed".to_owned()),
    };
    let template = Template::parse(text).map_err(|error| error.problem)?;
    let rendered = template.render(&data, &mut ask);
    rendered
        .map(|text| text.to_string())
        .map_err(|error| error.to_string())
}

#[track_caller]
fn gives(text: &str, value: f64, wanted: &str) {
    assert_eq!(rendered(text, value).as_deref(), Ok(wanted), "{text}");
}

#[test]
fn what_most_rule_files_use() {
    gives("no template", 1.0, "no template");
    gives(
        "{{ $labels.instance }} of {{$labels.job}}",
        1.0,
        "web-1:80 of shop",
    );
    gives("{{ $labels }}", 1.0, "map[instance:web-1:80 job:shop]");
    gives(
        "{{ $labels.nothing }}|{{ .Labels.job }}|{{ .Value }}",
        1.5,
        "|shop|1.5",
    );
    gives("{{ $value }}", 1_000_000.0, "1e+06");
    gives(
        "{{ $value | humanize }} {{ humanize 0.00123 }}",
        123_456.0,
        "123.5k 1.23m",
    );
    gives("{{ $value | humanize1024 }}", 1_572_864.0, "1.5Mi");
    gives("{{ $value | humanizePercentage }}", 0.123_456, "12.35%");
    gives(
        "{{ $value | humanizeTimestamp }}",
        1.5,
        "1970-01-01 00:00:01.5 +0000 UTC",
    );
    gives("{{ printf \"%.2f\" $value }}%", 12.345, "12.35%");
    gives("{{ $value | printf \"%.1f\" }}", 0.25, "0.2");
    gives(
        "{{ $externalLabels.region }} {{ $externalURL }}",
        0.0,
        "north http://example.org/prom",
    );
    for (value, wanted) in [
        (0.0, "0s"),
        (1.5, "1.5s"),
        (59.99, "59.99s"),
        (61.0, "1m 1s"),
        (3_661.0, "1h 1m 1s"),
        (90_061.0, "1d 1h 1m 1s"),
        (-61.0, "-1m 1s"),
        (0.0015, "1.5ms"),
        (f64::NAN, "NaN"),
    ] {
        gives("{{ $value | humanizeDuration }}", value, wanted);
    }
}

#[test]
fn conditions_loops_and_variables() {
    gives(
        "{{ if gt $value 0.5 }}high{{ else }}low{{ end }}",
        0.7,
        "high",
    );
    gives(
        "{{ if lt $value 0.5 }}a{{ else if lt $value 1.0 }}b{{ else }}c{{ end }}",
        0.7,
        "b",
    );
    gives(
        "{{ if and (ge $value 0.5) (ne $labels.job \"x\") }}yes{{ end }}",
        0.7,
        "yes",
    );
    gives(
        "{{ if or $labels.none (eq $labels.job \"shop\" \"x\") }}yes{{ end }}",
        0.7,
        "yes",
    );
    gives(
        "{{ with $labels.none }}{{ . }}{{ else }}none{{ end }}",
        0.0,
        "none",
    );
    gives(
        "{{ with $x := $labels.job }}{{ $x }} {{ . }}{{ end }}",
        0.0,
        "shop shop",
    );
    gives(
        "{{ range query \"two\" }}{{ .Labels.instance }}={{ .Value }};{{ end }}",
        0.0,
        "b=2;a=1;",
    );
    gives(
        "{{ range $i, $e := query \"two\" | sortByLabel \"instance\" }}{{ $i }}{{ label \"instance\" $e }}{{ end }}",
        0.0,
        "0a1b",
    );
    gives(
        "{{ range query \"none\" }}x{{ else }}nothing{{ end }}",
        0.0,
        "nothing",
    );
    gives(
        "{{ range $k, $v := $labels }}{{ $k }}.{{ $v }} {{ end }}",
        0.0,
        "instance.web-1:80 job.shop ",
    );
    gives("{{ query \"two\" | first | value }}", 0.0, "2");
    gives("{{ (query \"two\" | first).Labels.instance }}", 0.0, "b");
    gives(
        "{{ $x := 1 }}{{ range query \"two\" }}{{ $x = 2 }}{{ end }}{{ $x }}",
        0.0,
        "2",
    );
    gives(
        "{{ range $i, $e := query \"two\" }}{{ if $i }}{{ break }}{{ end }}{{ $i }}{{ end }}",
        0.0,
        "0",
    );
    gives("a {{- /* left */ -}} b {{- \"c\" }}  d", 0.0, "abc  d");
    gives(
        "{{ len (query \"two\") }} {{ index $labels \"job\" }}",
        0.0,
        "2 shop",
    );
}

#[test]
fn functions_of_texts() {
    gives("{{ $labels.job | toUpper | toLower | title }}", 0.0, "Shop");
    gives("{{ title \"a b-c d_e don't\" }}", 0.0, "A B-C D_e Don't");
    gives(
        "{{ reReplaceAll \"(.*):\\\\d+\" \"${1}\" $labels.instance }}",
        0.0,
        "web-1",
    );
    gives(
        "{{ if match \"^web\" $labels.instance }}web{{ end }}",
        0.0,
        "web",
    );
    gives(
        "{{ stripPort $labels.instance }} {{ stripDomain \"a.b.c:80\" }}",
        0.0,
        "web-1 a:80",
    );
    gives(
        "{{ graphLink \"up == 0\" }}",
        0.0,
        "/graph?g0.expr=up+%3D%3D+0&g0.tab=0",
    );
    gives(
        "{{ urlquery \"a b\" }} {{ html \"<a>\" }}",
        0.0,
        "a+b &lt;a&gt;",
    );
    gives(
        "{{ pathPrefix }} {{ parseDuration \"1h30m\" }} {{ now }}",
        0.0,
        "/prom 5400 1.5",
    );
    gives(
        "{{ print 1 2 \"a\" }} {{ printf \"%q %5d|%-5s|%05.1f %v %s\" \"a\" 7 \"b\" 1.25 1.0 2 }}",
        0.0,
        "1 2a \"a\"     7|b    |001.2 1 %!s(int=2)",
    );
    gives(
        "{{ (args 1 \"b\").arg1 }}{{ (args).none }}",
        0.0,
        "b<no value>",
    );
}

#[test]
fn what_cannot_work_is_a_fault_when_it_is_read() {
    for (text, at, problem) in [
        (
            "{{ $value | humanise }}",
            12,
            "there is no function `humanise`",
        ),
        (
            "{{ $lables.job }}",
            3,
            "the variable `$lables` is not known",
        ),
        ("a {{ $value", 2, "`{{` has no `}}`"),
        ("{{ if $value }}a", 16, "`if` has no end"),
        ("a {{ end }}", 4, "there is no open block to end here"),
        ("{{ else }}", 2, "there is no open block to end here"),
        ("{{ }}", 5 - 2, "a value is missing here"),
        ("{{ \"a }}", 0, "`{{` has no `}}`"),
        ("{{ (print 1 }}", 3, "`(` has no `)`"),
        ("{{ template \"x\" }}", 2, "`template` is not known here"),
        ("{{ break }}", 2, "`break` is outside of a `range`"),
        (
            "{{ 1 2 }}",
            3,
            "arguments follow a value that is not a function",
        ),
        ("{{ $value ; 1 }}", 10, "`;` has no meaning here"),
        (
            "{{ range $a, $b, $c := 1 }}{{ end }}",
            23,
            "too many variables are declared at once",
        ),
    ] {
        let error = Template::parse(text).unwrap_err();
        assert_eq!((error.at, &*error.problem), (at, problem), "{text}");
    }
    let deep = "{{ if true }}".repeat(60) + &"{{ end }}".repeat(60);
    assert!(Template::parse(&deep).is_err());
}

#[test]
fn what_fails_later_is_an_error_with_its_reason() {
    for (text, problem) in [
        (
            "{{ query \"none\" | first }}",
            "`first`: the query found nothing",
        ),
        ("{{ query \"broken\" }}", "`query`: the query failed"),
        ("{{ $value.x }}", "float64 has no field `x`"),
        // As in Prometheus, the file is accepted.
        ("{{ value }}", "`value`: it takes 1 values, but gets 0"),
        (
            "{{ 1 | humanize 2 }}",
            "`humanize`: it takes 1 values, but gets 2",
        ),
        ("{{ 1 | gt }}", "`gt`: it takes 2 values, but gets 1"),
        (
            "{{ if gt $value 1 }}{{ end }}",
            "`gt`: float64 and int cannot be compared: write 1.0 instead of 1 to compare with a sample",
        ),
        (
            "{{ range $value }}{{ end }}",
            "`range` cannot go over float64",
        ),
        ("{{ humanize \"x\" }}", "`humanize`: \"x\" is not a number"),
    ] {
        assert_eq!(rendered(text, 1.0), Err(problem.to_owned()), "{text}");
    }
}

#[test]
fn a_template_that_loops_or_grows_is_stopped() {
    let (open, close) = ("{{ range 1000 }}", "{{ end }}");
    let text = open.repeat(4) + "x" + &close.repeat(4);
    let error = rendered(&text, 1.0).unwrap_err();
    assert_eq!(error, "it takes more than 20000 steps");
    let text = "{{ $x := \"ab\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}";
    assert_eq!(
        rendered(text, 1.0).unwrap_err(),
        "`print`: the text is too long"
    );
    let error = rendered("{{ printf \"%9999d\" 1 }}", 1.0).unwrap_err();
    assert_eq!(error, "`printf`: no width or precision is more than 1024");
    let text = "{{ range 100 }}{{ query \"two\" | len }}{{ end }}";
    assert_eq!(
        rendered(text, 1.0).unwrap_err(),
        "`query`: it runs more than 64 queries"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "(\\{\\{-? ?|-?\\}\\}|if |range |with |else|end|\\$value|\\$|\\.a|\"|`|'|\\(|\\)|\\||:=|1|-|é| |printf \"%[5.]?d\"|humanize |query ){0,12}",
        value: f64,
    ) {
        let _ = rendered(&text, value);
    }
}
