use std::time::Duration;

use bytes::Bytes;

use super::ask::Answer;
use super::merge;

fn answer(instance: &str, page: Result<&'static str, &str>) -> Answer {
    Answer {
        instance: instance.to_owned(),
        page: page
            .map(|page| Bytes::from_static(page.as_bytes()))
            .map_err(str::to_owned),
        took: Duration::from_millis(250),
    }
}

fn merged(answers: &[Answer]) -> String {
    let mut out = Vec::new();
    merge::write(answers, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The metrics about all instances are at the end.
fn series(answers: &[Answer]) -> String {
    let all = merged(answers);
    let end = all
        .find("# HELP selfheal_sibling_scrape_duration_seconds")
        .unwrap();
    all[..end].to_owned()
}

#[test]
fn each_family_is_there_once_and_each_series_says_whose_it_is() {
    let one = "# HELP jobs_total Jobs\n# TYPE jobs_total counter\njobs_total{of=\"a\"} 1\n\
               jobs_total{of=\"b\"} 2 1700000000000\n\
               # TYPE took_seconds histogram\ntook_seconds_bucket{le=\"+Inf\"} 1\n\
               took_seconds_sum 0.5\ntook_seconds_count 1\n";
    let two = "# HELP depth Depth\n# TYPE depth gauge\ndepth NaN\n\
               # HELP jobs_total Other words\n# TYPE jobs_total counter\njobs_total{of=\"a\"} 3\n";
    let all = merged(&[
        answer("unix:/run/\"1\".sock", Ok(one)),
        answer("127.0.0.1:9899", Ok(two)),
        answer("127.0.0.1:1", Err("refused\nagain")),
    ]);
    let expected = r#"# 127.0.0.1:1: refused\nagain
# HELP depth Depth
# TYPE depth gauge
depth{instance="127.0.0.1:9899"} NaN
# HELP jobs_total Jobs
# TYPE jobs_total counter
jobs_total{instance="unix:/run/\"1\".sock",of="a"} 1
jobs_total{instance="unix:/run/\"1\".sock",of="b"} 2 1700000000000
jobs_total{instance="127.0.0.1:9899",of="a"} 3
# TYPE took_seconds histogram
took_seconds_bucket{instance="unix:/run/\"1\".sock",le="+Inf"} 1
took_seconds_sum{instance="unix:/run/\"1\".sock"} 0.5
took_seconds_count{instance="unix:/run/\"1\".sock"} 1
# HELP selfheal_sibling_scrape_duration_seconds Time until the process of this instance answered, or until the timeout
# TYPE selfheal_sibling_scrape_duration_seconds gauge
selfheal_sibling_scrape_duration_seconds{instance="unix:/run/\"1\".sock"} 0.25
selfheal_sibling_scrape_duration_seconds{instance="127.0.0.1:9899"} 0.25
selfheal_sibling_scrape_duration_seconds{instance="127.0.0.1:1"} 0.25
# HELP selfheal_sibling_up Whether the process of this instance answered with its metrics: 1, or 0
# TYPE selfheal_sibling_up gauge
selfheal_sibling_up{instance="unix:/run/\"1\".sock"} 1
selfheal_sibling_up{instance="127.0.0.1:9899"} 1
selfheal_sibling_up{instance="127.0.0.1:1"} 0
"#;
    assert_eq!(all, expected);
}

#[test]
fn an_instance_of_its_own_is_kept_under_another_name() {
    let page =
        "up{instance=\"db:1\",exported_instance=\"x\",z=\"{,}\\\"\"} 1\nup{instance=\"db:2\"} 0\n";
    assert_eq!(
        series(&[answer("a", Ok(page))]),
        "up{instance=\"a\",exported_exported_instance=\"db:1\",exported_instance=\"x\",\
         z=\"{,}\\\"\"} 1\nup{instance=\"a\",exported_instance=\"db:2\"} 0\n"
    );
}

/// Prometheus rejects a whole page for one invalid line, so none is passed on.
#[test]
fn what_is_no_line_is_left_out_and_said() {
    let page = "a 1\nb{x=\"1\" 2\nb{x=1} 2\nb{\"x\"=\"1\"} 2\nc one\nd 1 2 3\ne 1 soon\n9 1\nf\n\
                # TYPE selfheal_sibling_up gauge\nselfheal_sibling_up 1\n# TYPE b-c gauge\n\
                # a comment\n#\nz 2\n";
    let text = series(&[answer("a", Ok(page))]);
    let expected = "# a: 11 lines are not in the text format\na{instance=\"a\"} \
                    1\nz{instance=\"a\"} 2\n";
    assert_eq!(text, expected);
    // Half a page may end within a line.
    let text = series(&[answer(
        "a",
        Ok("# TYPE jobs gauge\njobs{of=\"a\"} 1\njobs{of=\""),
    )]);
    assert!(text.contains("1 lines are not") && text.ends_with("of=\"a\"} 1\n"));
}

#[test]
fn a_family_of_another_kind_is_left_out_and_said() {
    let one = "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n";
    let two = "# HELP a A\n# TYPE a counter\na 2\n# TYPE b gauge\nb 2\n";
    assert_eq!(
        series(&[answer("1", Ok(one)), answer("2", Ok(two))]),
        "# 2: a has another kind elsewhere\n# HELP a A\n# TYPE a gauge\na{instance=\"1\"} 1\n# \
         TYPE b gauge\nb{instance=\"1\"} 1\nb{instance=\"2\"} 2\n"
    );
}

#[test]
fn a_page_that_is_no_text_is_none() {
    let mut answer = answer("1", Ok(""));
    answer.page = Ok(Bytes::from_static(b"a 1\n\xff"));
    let text = merged(&[answer]);
    assert!(text.starts_with("# 1: its page is not UTF-8\n"), "{text}");
    assert!(text.ends_with("up{instance=\"1\"} 0\n"), "{text}");
}
