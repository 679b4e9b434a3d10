//! Problems of users of other metrics libraries, and the tests that show their absence here.
//!
//! Each row has the complaint, with an example of a report by repository and number, and the tests
//! that fail if this crate has the same fault: each was seen to fail with the fault put in. That
//! they are there is a rule of the house.
//!
//! | problem | reported | test |
//! |---|---|---|
//! | 1. Addresses that scanners try become 400,000 label values | axum-prometheus#4 | `tests/http/hostile.rs` `a_hundred_thousand_paths_are_one_series` |
//! | 2. Nothing bounds the number of series | client_rust#197 | `src/registry/storage/tests.rs` `beyond_the_limit_one_series_takes_the_rest`, `tests/cardinality.rs` `values_of_any_length_that_are_refused_take_no_memory_either` |
//! | 3. Series of what is long gone stay; they go on a scrape, if at all | client_golang#1983, rust-prometheus#494 | `src/handle/expiry.rs` `idle_series_go_at_the_latest_an_interval_after_they_may` |
//! | 4. Observations pile up without a scraper | metrics#467 | `tests/cardinality.rs` `what_no_one_scrapes_takes_no_more_memory` |
//! | 5. A request that is broken off is in flight for ever | axum-prometheus#7 | `tests/http/endings.rs` `a_client_that_hangs_up_before_the_headers` |
//! | 6. A request that is broken off is not counted | tower-http#636 | `tests/http/endings.rs` `a_client_that_hangs_up_inside_the_body` |
//! | 7. Event streams and WebSockets are hours of latency | | `tests/http/sessions.rs` `an_event_stream_is_recorded_at_its_headers_and_lives_on_as_a_session`, `tests/http/upgrades.rs` `a_websocket_is_in_flight_as_long_as_it_lives_and_a_session_then` |
//! | 8. No labels from the request | axum-prometheus#15 | `tests/http/setup.rs` `labels_from_extensions_have_declared_values_only` |
//! | 9. Tests that run in parallel meet in one recorder | axum-prometheus#59, #64 | `tests/handle.rs` `two_handles_share_nothing` |
//! | 10. A second layer panics | axum-prometheus#94 | `tests/http/routes.rs` `two_layers_on_one_registry_share_the_series` |
//! | 11. Who holds a metric or reads one stops those who make one | client_rust#231, #300 | `src/registry/tests/held.rs` `everything_goes_on_in_the_middle_of_a_scrape` |
//! | 12. Who declares a metric while it is collected waits for itself | neon#2566 | `src/registry/tests.rs` `declaring_while_collecting_does_not_deadlock` |
//! | 13. Declared twice is a panic, or two metrics of one name | rust-prometheus#525, client_rust#292 | `src/registry/tests.rs` `the_same_declaration_gives_the_same_metric` |
//! | 14. `_total` occurs twice, or not at all, in OpenMetrics | client_rust#51 | `tests/encode/golden.rs` `openmetrics` |
//! | 15. A page without `Content-Type`, which Prometheus 3 refuses | | `tests/server/main.rs` `every_endpoint_answers_a_program_without_async_code` |
//! | 16. No exemplars | rust-prometheus#393, measured#4 | `tests/encode/exemplars.rs` `openmetrics` |
//! | 17. No native histograms | client_rust#150 | `tests/encode/native.rs` `spans_and_deltas` |
//! | 18. What goes over the network panics inside of a runtime | rust-prometheus#453 | `tests/handle.rs` `inside_of_a_runtime_of_either_kind_everything_starts_and_stops` |
//! | 19. The first increment is invisible to `rate()` | metrics#375 | `src/registry/values.rs` `one_family_takes_every_kind_of_value`, `tests/grpc/names.rs` `a_declared_method_is_known_from_the_start`, `tests/encode/exemplars.rs` `openmetrics` |
//! | 20. Slow collectors pile up under parallel scrapes | client_golang#1477 | `tests/server/scrapes.rs` `four_at_a_time_and_the_others_wait_as_long_as_they_can`, `tests/server/scrapes.rs` `a_scrape_that_blocks_is_answered_for_before_its_scraper_hangs_up` |
//! | 21. A collector that panics ends the process | client_golang#1936 | `src/registry/tests.rs` `a_panicking_collector_is_skipped_and_counted` |
//! | 22. The declared metrics cannot be listed | rust-prometheus#526, client_golang#1801 | `src/registry/tests.rs` `a_group_is_declared_once_and_names_its_metrics`, `tests/interop/from.rs` `the_catalog_shows_what_was_there_at_the_start` |
//! | 23. Each lookup by labels costs the hot path | tikv#2581, metrics#271 | `tests/cardinality.rs` `what_is_recorded_by_labels_again_allocates_nothing`, `tests/http_allocations.rs` `a_warm_route_allocates_nothing` |
//! | 24. An interceptor of gRPC does not see how a call ends | grpc-rust#1557 | `tests/grpc/server.rs` `an_error_in_the_trailers_after_messages` |
//! | 25. Large pages go over the network as they are | tikv#12356 | `tests/server/main.rs` `a_scraper_gets_the_format_and_the_compression_it_asks_for`, `tests/encode/stream.rs` `gzip_is_read_back` |
//! | Labels that run together (`ab`, `c` and `a`, `bc`) are one series | `prometheus` 0.14 | `tests/interop/from.rs` `labels_that_run_together_are_one_series_there_and_two_here` |

use crate::source::Source;

const TABLE: &str = include_str!("peers.rs");

/// Rows that name no test, and tests that they name and that are not there.
pub(crate) fn untested(sources: &[Source]) -> Vec<String> {
    without_test(TABLE, sources)
}

fn without_test(table: &str, sources: &[Source]) -> Vec<String> {
    let rows = table.lines().filter_map(|line| line.strip_prefix("//! | "));
    let mut found = Vec::new();
    for row in rows.skip(1) {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next();
        let words: Vec<&str> = tests
            .unwrap_or_default()
            .split('`')
            .skip(1)
            .step_by(2)
            .collect();
        if words.is_empty() {
            found.push(format!("no test for: {row}"));
        }
        for pair in words.chunks(2) {
            let is_there = sources.iter().any(|source| is_test(source, pair));
            if !is_there {
                found.push(format!("{} is no test", pair.join(" ")));
            }
        }
    }
    found
}

fn is_test(source: &Source, pair: &[&str]) -> bool {
    let [path, name] = pair else { return false };
    let head = format!("fn {name}()");
    source.path == *path
        && source.with_tests.find(&head).is_some_and(|at| {
            let before = source.with_tests[..at]
                .trim_end_matches("async ")
                .trim_end();
            before.ends_with("test]") || before.ends_with("test(start_paused = true)]")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::of_files;

    #[test]
    fn a_row_names_tests_that_are_there() {
        let file = |text: &str| ("tests/a.rs".to_owned(), text.to_owned());
        let sources = of_files(&[file("#[test]\nfn good() {}\n\nfn helper() {}\n")]);
        let table = |tests: &str| {
            let row = format!(
                "//! | problem | reported | test |\n//! |---|---|---|\n//! | 1. a `b` | c#1 | {tests} |\n"
            );
            without_test(&row, &sources)
        };
        assert_eq!(table("`tests/a.rs` `good`"), [""; 0]);
        for bad in [
            "",
            "`tests/a.rs` `helper`",
            "`tests/b.rs` `good`",
            "`tests/a.rs`",
        ] {
            assert_eq!(table(bad).len(), 1, "{bad}");
        }
    }
}
