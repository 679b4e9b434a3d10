//! Values of other types than their keys have, and keys that there are none of.

use selfheal::config::Config;

use super::reported;

#[test]
fn wrong_types() {
    for (text, problem) in [
        (
            "namespace = 5",
            "namespace (line 1): expected text, found a whole number",
        ),
        (
            "metrics.gzip = 'yes'",
            "metrics.gzip (line 1): expected true or false, found text",
        ),
        (
            "metrics.max_series = 1.5",
            "metrics.max_series (line 1): expected a whole number, found a number with a decimal point",
        ),
        (
            "metrics.max_series = -1",
            "metrics.max_series (line 1): -1 is outside 0..=18446744073709551615",
        ),
        (
            "healing.attempts = 5_000_000_000",
            "healing.attempts (line 1): 5000000000 is outside 0..=4294967295",
        ),
        (
            "healing.attempts = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff",
            "healing.attempts (line 1): 170141183460469231731687303715884105727 is outside",
        ),
        (
            "http.sample_rate = true",
            "http.sample_rate (line 1): expected a number, found a boolean",
        ),
        (
            "http.exclude = '/a'",
            "http.exclude (line 1): expected a list, found text",
        ),
        (
            "http = 5",
            "http (line 1): expected a table, found a whole number",
        ),
        ("[[http]]", "http (line 1): expected a table, found a list"),
        (
            "global_labels = ['a']",
            "global_labels (line 1): expected a table, found a list",
        ),
        (
            "global_labels.a = 1",
            "global_labels.a (line 1): expected text, found a whole number",
        ),
        (
            "healing.modes.disruptive = 'runs'",
            "healing.modes.disruptive (line 1): `runs` is not one of the choices; did you mean `run`?",
        ),
        (
            "healing.modes.disruptive = 1",
            "healing.modes.disruptive (line 1): expected the name of a choice, found a whole number",
        ),
        (
            "[[healing.overrides]]",
            "healing.overrides[0].mode (line 1): is missing",
        ),
    ] {
        let faults = reported(Config::from_toml_str(text));
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].starts_with(problem), "{text}: {faults:?}");
    }
}

#[test]
fn unknown_keys_all_of_them() {
    assert_eq!(
        reported(Config::from_toml_str(
            "namespcae = 'shop'\n\
             colour = 1\n\
             [htpp]\n\
             sample_rate = 0.5\n\
             [http]\n\
             Sample-Rate = 0.5\n\
             [metrics.family.x]\n\
             max_seris = 5\n\
             [healing.bakcoff]\n"
        )),
        [
            "colour (line 2): no setting has this name; the keys here are `namespace`, \
             `profiles`, `global_labels`, `service`, `metrics`, `http`, `server`, `system`, \
             `healing`, `journal`, `history`, `assets`",
            "htpp (line 3): no setting has this name; did you mean `http`?",
            "namespcae (line 1): no setting has this name; did you mean `namespace`?",
            "healing.bakcoff (line 9): no setting has this name; did you mean `backoff`?",
            "http.Sample-Rate (line 6): no setting has this name; did you mean `sample_rate`?",
            "metrics.family.x.max_seris (line 8): no setting has this name; \
             did you mean `max_series`?",
        ]
    );
}

#[test]
fn keys_in_the_wrong_section_are_sent_to_theirs() {
    for (text, path, hint) in [
        (
            "[metrics]\nnamespace = 'shop'",
            "metrics.namespace (line 2)",
            "did you mean `namespace` at the top, before the first section?",
        ),
        (
            "[server]\nsample_rate = 0.5",
            "server.sample_rate (line 2)",
            "did you mean `sample_rate` in the section `[http]`?",
        ),
        (
            "[journal.storm]\nshare = 0.5",
            "journal.storm (line 1)",
            "did you mean the section `[healing.storm]`?",
        ),
        // These occur in several places.
        (
            "[http]\nwindow = '5m'",
            "http.window (line 2)",
            "the keys here are `exclude`, `exclude_endpoints`, `sample_rate`, `buckets`",
        ),
    ] {
        let fault = format!("{path}: no setting has this name; {hint}");
        assert_eq!(reported(Config::from_toml_str(text)), [fault], "{text}");
    }
}
