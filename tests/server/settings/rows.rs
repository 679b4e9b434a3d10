//! Every setting, and what is seen of it.

/// The visible effect of a setting in an application that uses every part of the handle.
pub(super) enum Effect {
    /// Something else than without it.
    Seen,
    /// Something, in the test of this name.
    SeenIn(&'static str),
    /// Nothing: it is reported from the start on, with this reason.
    Void(&'static str),
}

use Effect::{Seen, SeenIn, Void};

pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) value: &'static str,
    /// Settings without which this one is refused.
    pub(super) beside: &'static str,
    pub(super) effect: Effect,
}

const fn row(key: &'static str, value: &'static str, effect: Effect) -> Row {
    let beside = "";
    Row {
        key,
        value,
        beside,
        effect,
    }
}

const MEMORY: &str = "without `journal.path` nothing is written to a file";
const NEVER: &str = "the process is never asked to exit";
pub(super) const NO_LISTENER: &str = "the endpoints have no listener of their own";
const LOOPBACK: &str = "`server.listen` can be reached from this machine only";

const ACCESS: &str = "each_endpoint_is_for_whom_it_is_configured";
const HISTORY: &str = "history_is_as_it_is_configured";
const TLS: Effect = SeenIn("a_real_prometheus_scrapes_with_a_password_and_with_a_certificate");

pub(super) static ROWS: &[Row] = &[
    row("global_labels", "{ env = \"test\" }", Seen),
    row("healing.ageing", "\"31s\"", Seen),
    row("healing.approval.expires", "\"2d\"", Seen),
    row("healing.attempts", "4", Seen),
    row("healing.backoff.base", "\"2s\"", Seen),
    row("healing.backoff.cap", "\"6m\"", Seen),
    row("healing.backoff.reset_after", "\"11m\"", Seen),
    row("healing.budget.component.max", "11", Seen),
    row("healing.budget.component.window", "\"11m\"", Seen),
    row("healing.budget.global.max", "61", Seen),
    row("healing.budget.global.window", "\"11m\"", Seen),
    row("healing.budget.kept_for_unspent", "0.3", Seen),
    row("healing.budget.kept_per_severity", "0.2", Seen),
    row("healing.clear", "3", Seen),
    row("healing.confirm.bad", "1", Seen),
    row("healing.confirm.of", "4", Seen),
    row("healing.detect_every", "\"11s\"", Seen),
    row("healing.dry_run", "true", Seen),
    row("healing.escalation.exit_after", "\"1h\"", Seen),
    row("healing.escalation.exits.max", "4", Void(NEVER)),
    row("healing.escalation.exits.window", "\"2h\"", Void(NEVER)),
    row("healing.escalation.not_ready_after", "\"1h\"", Seen),
    row(
        "healing.escalation.severity",
        "\"error\"",
        Void("nothing escalates beyond alerts"),
    ),
    row("healing.flap.heals", "4", Seen),
    row("healing.flap.window", "\"31m\"", Seen),
    row("healing.grace", "\"6s\"", Seen),
    row("healing.intensity.max", "6", Seen),
    row("healing.intensity.window", "\"11m\"", Seen),
    row("healing.limits.alerts", "1025", Seen),
    row("healing.limits.components", "1025", Seen),
    row("healing.limits.engines", "257", Seen),
    row("healing.limits.keys", "8193", Seen),
    row("healing.limits.mutes", "1025", Seen),
    row("healing.limits.open", "10001", Seen),
    row("healing.limits.open_per_engine", "2001", Seen),
    row("healing.limits.series", "513", Seen),
    row("healing.max_running", "5", Seen),
    row("healing.max_zombies", "4", Seen),
    row("healing.min_confidence.destructive", "0.5", Seen),
    row("healing.min_confidence.disruptive", "0.3", Seen),
    row("healing.min_confidence.reversible", "0.1", Seen),
    row("healing.modes.destructive", "\"run\"", Seen),
    row("healing.modes.disruptive", "\"run\"", Seen),
    row("healing.modes.reversible", "\"dry_run\"", Seen),
    row(
        "healing.overrides",
        "[{ component = \"cache\", mode = \"run\" }]",
        Seen,
    ),
    row("healing.patience", "\"2h\"", Seen),
    row("healing.ramp", "\"31s\"", Seen),
    row("healing.recurrence.heals", "6", Seen),
    row("healing.recurrence.window", "\"2d\"", Seen),
    row("healing.retry_every", "\"16m\"", Seen),
    row("healing.settle", "\"11s\"", Seen),
    row("healing.storm.hold", "\"31s\"", Seen),
    row("healing.storm.min_components", "6", Seen),
    row("healing.storm.share", "0.6", Seen),
    row("healing.timeout", "\"31s\"", Seen),
    row("healing.verify.every", "\"2s\"", Seen),
    row("healing.verify.timeout", "\"11s\"", Seen),
    row("healing.verify.tries", "4", Seen),
    row("history.coarse_keep", "\"1d\"", SeenIn(HISTORY)),
    row(
        "history.coarse_step",
        "\"2m\"",
        Void("without `history.coarse_keep`"),
    ),
    row("history.keep", "\"1h\"", SeenIn(HISTORY)),
    row(
        "history.max_bytes",
        "1000000",
        SeenIn("a_full_memory_drops_the_oldest_and_says_so"),
    ),
    row("history.only", "\"rules\"", SeenIn(HISTORY)),
    row("history.step", "\"5s\"", SeenIn(HISTORY)),
    row("http.buckets", "[0.5]", Seen),
    row("http.exclude", "[\"/skip\"]", Seen),
    row("http.exclude_endpoints", "false", Seen),
    row("http.sample_rate", "0.0", Seen),
    row("journal.allow_shared_directory", "true", Void(MEMORY)),
    row("journal.fsync", "\"never\"", Void(MEMORY)),
    row("journal.keep_files", "5", Void(MEMORY)),
    row("journal.max_age", "\"2d\"", Void(MEMORY)),
    row("journal.max_bytes", "9000000", Void(MEMORY)),
    row(
        "journal.memory",
        "7",
        SeenIn("history_reads_where_the_memory_ends"),
    ),
    row("journal.path", "\"@\"", Seen),
    row("metrics.created_times", "true", Seen),
    row("metrics.family.NAME.buckets", "[0.5]", Seen),
    row("metrics.family.NAME.enabled", "false", Seen),
    row("metrics.family.NAME.expire_after", "\"1m\"", Seen),
    row("metrics.family.NAME.max_label_value", "20", Seen),
    row("metrics.family.NAME.max_series", "1", Seen),
    row("metrics.family.NAME.native.classic", "false", Seen),
    row("metrics.family.NAME.native.enabled", "false", Seen),
    row("metrics.family.NAME.native.growth", "2.0", Seen),
    row("metrics.family.NAME.native.max_buckets", "20", Seen),
    row("metrics.family.NAME.native.max_zero_threshold", "0.5", Seen),
    row("metrics.family.NAME.native.zero_threshold", "0.25", Seen),
    row("metrics.gzip", "false", Seen),
    row("metrics.max_label_value", "20", Seen),
    row("metrics.max_series", "1", Seen),
    row("metrics.max_series_per_family", "1", Seen),
    row("metrics.path", "\"/numbers\"", Seen),
    row("namespace", "\"shop\"", Seen),
    row("server.access.api", "\"off\"", SeenIn(ACCESS)),
    row("server.access.health", "\"off\"", SeenIn(ACCESS)),
    row("server.access.metrics", "\"off\"", SeenIn(ACCESS)),
    row("server.access.page", "\"off\"", SeenIn(ACCESS)),
    row("server.allow_non_loopback", "true", Void(LOOPBACK)),
    row("server.allow_unauthenticated", "true", Void(LOOPBACK)),
    Row {
        beside: "server.basic_auth.username = \"prometheus\"",
        ..row("server.basic_auth.password", "\"s3cret\"", Seen)
    },
    Row {
        beside: "server.basic_auth.password = \"s3cret\"",
        ..row("server.basic_auth.username", "\"prometheus\"", Seen)
    },
    row("server.bearer_token", "\"t0ken\"", Seen),
    row(
        "profiles",
        "[\"pipeline_guard\"]",
        SeenIn("several_profiles_at_once_each_have_their_names"),
    ),
    Row {
        beside: "server.bearer_token = \"t0ken\"",
        ..row(
            "server.control",
            "true",
            SeenIn("an_order_is_followed_with_credentials_and_token_alone"),
        )
    },
    row("server.listen", "\"127.0.0.2:0\"", Seen),
    row(
        "server.listen_also",
        "[\"127.0.0.1:0\"]",
        SeenIn("several_addresses_and_a_unix_socket_are_served"),
    ),
    row(
        "server.max_connections",
        "1",
        SeenIn("a_silent_connection_is_closed_and_makes_space"),
    ),
    row("server.page_path", "\"/page\"", Seen),
    row(
        "server.protect_probes",
        "true",
        Void("there are no credentials to ask for"),
    ),
    row(
        "server.request_timeout",
        "\"5s\"",
        SeenIn("a_handler_that_hangs_is_answered_for"),
    ),
    row(
        "server.siblings",
        "[\"127.0.0.1:9\"]",
        SeenIn("one_page_has_the_series_of_two_processes_and_says_who_does_not_answer"),
    ),
    Row {
        beside: "server.tls.key = \"@/key.pem\"",
        ..row("server.tls.cert", "\"@/cert.pem\"", TLS)
    },
    Row {
        beside: "server.tls.cert = \"@/cert.pem\"\nserver.tls.key = \"@/key.pem\"",
        ..row("server.tls.client_ca", "\"@/cert.pem\"", TLS)
    },
    Row {
        beside: "server.tls.cert = \"@/cert.pem\"",
        ..row("server.tls.key", "\"@/key.pem\"", TLS)
    },
    row("service.labels", "{ team = \"shop\" }", Seen),
    row("service.name", "\"shop\"", Seen),
    row("service.version", "\"1.2.3\"", Seen),
    row("service.wait_until_serving", "true", Seen),
    row("system.enabled", "false", Seen),
    row(
        "system.refresh",
        "\"6s\"",
        SeenIn("a_sample_is_exposed_until_the_next_is_due"),
    ),
];
