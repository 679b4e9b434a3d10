//! Rules for names and label values, shared by the sections.

use std::collections::BTreeMap;

use super::faults::{Faults, quote};

/// The metric that carries the labels of `[service]`.
pub(crate) const SERVICE_INFO: &str = "service_info";

/// The path of the health endpoint.
pub const HEALTH_PATH: &str = "/health";
/// The path of the liveness endpoint.
pub const LIVENESS_PATH: &str = "/livez";
/// The path of the readiness endpoint.
pub const READINESS_PATH: &str = "/readyz";
/// The default path of the page in an application's own router.
pub const PAGE_PATH: &str = "/selfheal";

/// The paths served beside the page: its assets, its events and its API. Paths below `api/` are
/// served as well.
pub(crate) const BESIDE_PAGE: [&str; 7] = [
    "chart.js",
    "events",
    "federate",
    "figures.js",
    "page.css",
    "page.js",
    "siblings",
];

/// Whether `path` is an endpoint beside a page at `page`.
pub(crate) fn is_beside(path: &str, page: &str) -> bool {
    let below = path.strip_prefix(page.trim_end_matches('/'));
    let name = below.and_then(|below| below.strip_prefix('/'));
    name.is_some_and(|name| BESIDE_PAGE.contains(&name) || name.starts_with("api/"))
}

/// The length limit of an endpoint's path, in characters.
pub(crate) const MAX_PATH: usize = 256;

/// Whether a router matches this path literally and no client encodes it.
pub(crate) fn is_plain(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    path.chars().all(plain) && !path.contains("//") && path.len() <= MAX_PATH
}

/// Checks the path of an endpoint, which must not be one that is `taken`; `like` is an example.
pub(super) fn check_path(
    (field, path): (&str, &str),
    like: &str,
    taken: impl Fn(&str) -> bool,
    faults: &mut Faults,
) {
    let shown = quote(path);
    if !path.starts_with('/') {
        let hint = format!("write it as `{like}`");
        faults.add(field, format!("{shown} does not start with `/`"), hint);
    } else if taken(path) {
        let problem = format!("{shown} is the path of another endpoint");
        faults.add(field, problem, format!("choose another, such as `{like}`"));
    } else if !is_plain(path) {
        let problem = format!("{shown} is not a plain path of at most {MAX_PATH} characters");
        let hint = "use letters, digits, `-`, `_`, `.`, `~` and single slashes";
        faults.add(field, problem, hint);
    }
}

/// Each label is in every series, so more are likely a mistake.
pub(super) const MAX_LABELS: usize = 32;
const MAX_NAME: usize = 128;

/// Whether `text` is `[a-zA-Z_][a-zA-Z0-9_]*`.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

const WORD: &str = "use letters, digits and `_`, and start with a letter";

/// Checks the name of a metric, which may contain colons.
pub(super) fn check_metric(name: &str, faults: &mut Faults) {
    if name.len() > MAX_NAME {
        faults.add("", too_long(name.len(), MAX_NAME), "give a shorter name");
    } else if !is_word(&name.replace(':', "_")) {
        faults.add(
            "",
            "this is not the name of a metric",
            format!("{WORD}; colons may be used"),
        );
    }
}

/// Checks the prefix of metric names, to which `_` is appended.
pub(super) fn check_namespace(name: &str, faults: &mut Faults) {
    const FIELD: &str = "namespace";
    let shown = quote(name);
    if name.is_empty() {
        return;
    }
    if name.len() > MAX_NAME {
        faults.add(FIELD, too_long(name.len(), MAX_NAME), "give a shorter name");
    } else if !is_word(name) {
        faults.add(FIELD, format!("{shown} cannot start a metric's name"), WORD);
    } else if name.starts_with("__") {
        faults.add(
            FIELD,
            format!("{shown} starts with `__`, which Prometheus reserves"),
            "start it with a letter",
        );
    } else if name.ends_with('_') {
        faults.add(
            FIELD,
            format!("{shown} ends in `_`, which would be doubled"),
            "leave the last `_` off; it is added between the namespace and the name",
        );
    }
}

/// Checks labels added to series: their names, the length of their values in bytes, and their
/// number.
pub(super) fn check_labels(
    field: &str,
    labels: &BTreeMap<String, String>,
    reserved: &[&str],
    most: usize,
    faults: &mut Faults,
) {
    if labels.len() > MAX_LABELS {
        faults.add(
            field,
            format!("{} labels are more than {MAX_LABELS}", labels.len()),
            "keep those that you select or group by",
        );
    }
    faults.within(field, |faults| {
        for (name, value) in labels {
            if let Some((problem, hint)) = label_name(name, reserved) {
                faults.add(name, problem, hint);
            }
            if value.is_empty() {
                faults.add(
                    name,
                    "an empty value is the same as no label",
                    "give a value or leave the label out",
                );
            } else if value.len() > most {
                let hint = "give a shorter value, or raise `metrics.max_label_value`";
                faults.add(name, too_long(value.len(), most), hint);
            }
        }
    });
}

fn label_name(name: &str, reserved: &[&str]) -> Option<(String, &'static str)> {
    if name.len() > MAX_NAME {
        Some((
            too_long(name.len(), MAX_NAME),
            "give the label a shorter name",
        ))
    } else if !is_word(name) {
        Some(("this is not the name of a label".to_owned(), WORD))
    } else if name.starts_with("__") {
        let problem = "names that start with `__` are reserved by Prometheus".to_owned();
        Some((problem, "start the name with a letter"))
    } else if reserved.contains(&name) {
        let problem = format!("`{name}` is set by the metrics themselves");
        Some((problem, "choose another name"))
    } else {
        None
    }
}

fn too_long(len: usize, most: usize) -> String {
    format!("{len} bytes are more than {most}")
}
