use super::*;

fn ask(accept: &str) -> Format {
    Format::negotiate([accept])
}

#[test]
fn what_real_scrapers_send() {
    let prometheus_2_42 = "application/openmetrics-text;version=1.0.0,\
        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    assert_eq!(ask(prometheus_2_42), Format::OPEN_METRICS);
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    assert_eq!(ask(browser), Format::TEXT);
    assert_eq!(ask("*/*"), Format::TEXT, "curl");
}

#[test]
fn quality_decides() {
    assert_eq!(
        ask("application/openmetrics-text;q=0.1, text/plain;q=0.2"),
        Format::TEXT
    );
    assert_eq!(
        ask("text/plain;q=0.2, APPLICATION/OpenMetrics-Text; Version=\"1.0.0\";q=0.3"),
        Format::OPEN_METRICS
    );
    assert_eq!(ask("text/plain;q=0, */*"), Format::OPEN_METRICS);
}

#[test]
fn the_more_specific_range_decides_about_a_format() {
    assert_eq!(ask("*/*, application/openmetrics-text;q=0.1"), Format::TEXT);
    assert_eq!(
        ask("text/*;q=0.2, application/*;q=0.4"),
        Format::OPEN_METRICS
    );
    assert_eq!(
        ask("application/openmetrics-text, */*"),
        Format::OPEN_METRICS,
        "named beats covered"
    );
    assert_eq!(
        ask("application/openmetrics-text, text/plain"),
        Format::OPEN_METRICS,
        "the first of two equals"
    );
    assert_eq!(
        ask("text/plain, application/openmetrics-text"),
        Format::TEXT
    );
}

#[test]
fn prometheus_3_and_native_histograms() {
    let text_1 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.4,\
        text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    let format = ask(text_1);
    assert_eq!(format, Format::TEXT_1.with_escaping(Escaping::AllowUtf8));
    assert_eq!(
        format.content_type(),
        "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    );
    let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
        encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,\
        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    assert_eq!(ask(protobuf), Format::PROTOBUF);
    assert_eq!(
        ask("application/vnd.google.protobuf;proto=x;encoding=delimited, */*;q=0.1"),
        Format::TEXT
    );
}

#[test]
fn the_escaping_of_the_element_that_counts() {
    let openmetrics = "application/openmetrics-text;escaping";
    assert_eq!(
        ask(&format!("{openmetrics}=dots, {openmetrics}=values;q=0.5")),
        Format::OPEN_METRICS.with_escaping(Escaping::Dots)
    );
    assert_eq!(ask(&format!("{openmetrics}=new")), Format::OPEN_METRICS);
    assert_eq!(
        ask("text/plain;version=0.0.4;escaping=allow-utf-8"),
        Format::TEXT,
        "has no quotes for names"
    );
}

#[test]
fn versions_that_we_do_not_write_are_not_offered() {
    assert_eq!(
        ask("application/openmetrics-text;version=0.0.1"),
        Format::TEXT
    );
    assert_eq!(ask("text/plain;version=9, */*;q=0.1"), Format::TEXT);
}

#[test]
fn whatever_comes_there_is_an_answer() {
    for accept in [
        "",
        ",",
        "application/json",
        "text/plain;q=0",
        "/",
        "*/*;q=x",
        "\0ä;;;\"",
        "*",
    ] {
        assert_eq!(ask(accept), Format::TEXT, "{accept:?}");
    }
    let hostile = "application/openmetrics-text;q=0.1,".repeat(1 << 20);
    assert_eq!(ask(&hostile), Format::OPEN_METRICS);
}
