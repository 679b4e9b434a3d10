//! Reports settings that have no effect, as soon as that is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::Selfheal;
use super::health::Health;
use crate::catalog::Native;
use crate::config::{Config, FamilySettings, Faults, Override, SERVICE_INFO, Server};
use crate::health::{Contributor, Fact, Note};
use crate::registry::{Registry, WeakRegistry};
use crate::util::Clock;

/// The time after which an application has taken the parts it uses and declared its metrics;
/// settings without effect are then reported.
const SETTLED: Duration = Duration::from_secs(60);

/// A part of the handle that an application may use.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The HTTP server layer.
    Layer = 1,
    /// The endpoints in a router, with the page at its configured path.
    Merged = 2,
    /// The endpoints in a router, below a path.
    Below = 4,
    /// The endpoints on their own listener.
    Listener = 8,
    /// The healing engine.
    Healing = 16,
}

/// The parts taken so far.
#[derive(Default)]
pub(super) struct Taken(AtomicU8);

impl Taken {
    #[cfg_attr(
        not(any(feature = "http", feature = "server", feature = "healing")),
        expect(dead_code, reason = "there is no part to take")
    )]
    pub(super) fn add(&self, part: Part) {
        self.0.fetch_or(part as u8, Ordering::Relaxed);
    }

    fn has(&self, part: Part) -> bool {
        self.0.load(Ordering::Relaxed) & part as u8 != 0
    }

    fn has_endpoints(&self) -> bool {
        [Part::Merged, Part::Below, Part::Listener].map(|part| self.has(part)) != [false; 3]
    }
}

/// When settings have no effect, and why.
struct Rule {
    /// The prefixes of their paths.
    settings: &'static [&'static str],
    /// Whether they have no effect. Rules on parts are evaluated once the parts were taken.
    idle: Idle,
    problem: &'static str,
    hint: &'static str,
}

enum Idle {
    By(fn(&Config) -> bool),
    Until(fn(&Config, &Taken) -> bool),
}

/// Settings that need a feature: its name, whether it is compiled in, and the prefixes of their
/// paths.
static FEATURES: &[(&str, bool, &[&str])] = &[
    ("assets", cfg!(feature = "assets"), &["assets"]),
    (
        "healing",
        cfg!(feature = "healing"),
        &["healing", "journal", "server.control"],
    ),
    ("rules", cfg!(feature = "rules"), &["history"]),
    ("http", cfg!(feature = "http"), &["http"]),
    (
        "server",
        cfg!(feature = "server"),
        &["server", "metrics.path", "metrics.gzip"],
    ),
    (
        "gzip` or `zstd",
        cfg!(any(feature = "gzip", feature = "zstd")),
        &["metrics.gzip"],
    ),
    ("system", cfg!(feature = "system"), &["system"]),
];

/// The first rule that matches a setting applies, after those of the features.
static RULES: &[Rule] = &[
    Rule {
        settings: &["history.coarse_step"],
        idle: Idle::By(|config| config.history.coarse_keep.is_zero()),
        problem: "without `history.coarse_keep` there are no coarse samples",
        hint: "set that, or leave this out",
    },
    Rule {
        settings: &["system.refresh"],
        idle: Idle::By(|config| !config.system.enabled),
        problem: "`system.enabled` is false",
        hint: "set that to true, or leave this out",
    },
    Rule {
        settings: &["service.labels", "service.version"],
        idle: Idle::By(|config| {
            let family = config.metrics.family.get(SERVICE_INFO);
            family.is_some_and(|family| !family.enabled)
        }),
        problem: "`metrics.family.service_info.enabled` is false",
        hint: "leave one of the two out",
    },
    Rule {
        settings: &[
            "journal.allow_shared_directory",
            "journal.fsync",
            "journal.keep_files",
            "journal.max_age",
            "journal.max_bytes",
        ],
        idle: Idle::By(|config| config.journal.path.is_none()),
        problem: "without `journal.path` nothing is written to a file",
        hint: "set that, or leave this out",
    },
    Rule {
        settings: &["healing.escalation.severity"],
        idle: Idle::By(|config| {
            let escalation = &config.healing.escalation;
            escalation.not_ready_after.is_none() && escalation.exit_after.is_none()
        }),
        problem: "nothing escalates beyond alerts",
        hint: "set `not_ready_after` or `exit_after` too, or leave it out",
    },
    Rule {
        settings: &["healing.escalation.exits"],
        idle: Idle::By(|config| config.healing.escalation.exit_after.is_none()),
        problem: "the process is never asked to exit",
        hint: "set `exit_after` too, or leave it out",
    },
    Rule {
        settings: &[
            "healing.modes",
            "healing.overrides",
            "healing.min_confidence",
            "healing.approval",
            "healing.escalation",
        ],
        idle: Idle::By(|config| config.healing.dry_run),
        problem: "`healing.dry_run` is true, which applies to everything",
        hint: "set that to false, or leave this out",
    },
    Rule {
        settings: &["server.allow_non_loopback"],
        idle: Idle::By(|config| config.server.is_loopback()),
        problem: "`server.listen` can be reached from this machine only",
        hint: "leave it out, or listen on a network address",
    },
    Rule {
        settings: &["server.allow_unauthenticated"],
        idle: Idle::By(|config| config.server.is_loopback() || has_credentials(&config.server)),
        problem: "`server.listen` can be reached from this machine only, or there are credentials",
        hint: "leave it out",
    },
    Rule {
        settings: &["server.protect_probes"],
        idle: Idle::By(|config| !has_credentials(&config.server)),
        problem: "there are no credentials to ask for",
        hint: "set `server.bearer_token` or `server.basic_auth`, or leave it out",
    },
    #[cfg(feature = "http")]
    Rule {
        settings: &["http.buckets"],
        idle: Idle::By(super::http::buckets_are_replaced),
        problem: "each of their families has buckets of its own, or is disabled",
        hint: "leave one of the two out",
    },
    Rule {
        settings: &["http"],
        idle: Idle::Until(|_, taken| !taken.has(Part::Layer)),
        problem: "the HTTP layer is not in use",
        hint: "put `Selfheal::http_layer` on the router, or leave it out",
    },
    Rule {
        settings: &["healing", "history", "journal", "server.control"],
        idle: Idle::Until(|_, taken| !taken.has(Part::Healing)),
        problem: "healing was not started",
        hint: "install selfheal inside the tokio runtime, or leave it out",
    },
    Rule {
        settings: &["metrics.path"],
        idle: Idle::Until(|config, taken| {
            let excludes = config.http.exclude_endpoints && taken.has(Part::Layer);
            !excludes && !taken.has_endpoints()
        }),
        problem: UNSERVED,
        hint: SERVE,
    },
    Rule {
        settings: &[
            "server.listen",
            "server.max_connections",
            "server.allow_",
            "server.tls",
        ],
        idle: Idle::Until(|_, taken| !taken.has(Part::Listener)),
        problem: "the endpoints have no listener of their own",
        hint: "call `Selfheal::listen`, or leave it out",
    },
    Rule {
        settings: &["server.page_path"],
        idle: Idle::Until(|_, taken| !taken.has(Part::Merged)),
        problem: "no router of the application has the page at this path",
        hint: "merge `Selfheal::router`, or leave it out: `router_at` and `listen` use other paths",
    },
    Rule {
        settings: &["server", "metrics.gzip"],
        idle: Idle::Until(|_, taken| !taken.has_endpoints()),
        problem: UNSERVED,
        hint: SERVE,
    },
];

const UNSERVED: &str = "the endpoints are not served";
const SERVE: &str = "merge `Selfheal::router` or call `Selfheal::listen`, or leave it out";

fn has_credentials(server: &Server) -> bool {
    server.basic_auth.is_some() || server.bearer_token.is_some()
}

/// Whether a path is among the settings with these prefixes.
fn is_among(settings: &[&str], path: &str) -> bool {
    settings.iter().any(|start| {
        let rest = path.strip_prefix(start);
        rest.is_some_and(|rest| rest.is_empty() || start.ends_with('_') || rest.starts_with('.'))
    })
}

/// The settings that differ from their defaults, and which of them have no effect.
struct Settings {
    config: Config,
    changed: Vec<String>,
}

impl Settings {
    fn new(config: &Config) -> Self {
        Self {
            changed: config.changed(),
            config: config.clone(),
        }
    }

    /// Those without effect regardless of the application and, if `taken` is given, those without
    /// effect with these parts.
    fn unused(&self, taken: Option<&Taken>) -> Faults {
        let config = &self.config;
        let mut faults = Faults::new();
        for path in &self.changed {
            let mut features = FEATURES.iter();
            if let Some((feature, ..)) =
                features.find(|(_, built, settings)| !built && is_among(settings, path))
            {
                let hint = format!("enable the feature `{feature}`, or leave it out");
                let problem = "this version was built without its feature";
                faults.add_at(path.clone(), problem, &hint);
                continue;
            }
            let mut rules = RULES.iter().filter(|rule| is_among(rule.settings, path));
            let idle = rules.find(|rule| match rule.idle {
                Idle::By(idle) => idle(config),
                Idle::Until(idle) => taken.is_some_and(|taken| idle(config, taken)),
            });
            match idle {
                Some(rule) => faults.add_at(path.clone(), rule.problem, rule.hint),
                None if path == "healing.overrides" => {
                    beaten(&config.healing.overrides, &mut faults);
                }
                None => {}
            }
        }
        faults.within("metrics", |faults| {
            faults.within("family", |faults| {
                for (name, family) in &config.metrics.family {
                    faults.within(name, |faults| void(family, faults));
                }
            });
        });
        faults
    }
}

/// Overrides that an earlier one already covers.
fn beaten(overrides: &[Override], faults: &mut Faults) {
    let covers = |wide: &Option<String>, narrow: &Option<String>| wide.is_none() || wide == narrow;
    for (index, one) in overrides.iter().enumerate() {
        let mut before = overrides.iter().take(index);
        let first = before.position(|first| {
            covers(&first.component, &one.component) && covers(&first.issue_type, &one.issue_type)
        });
        if let Some(first) = first {
            let problem =
                format!("`healing.overrides[{first}]` matches everything that this one does");
            let path = format!("healing.overrides[{index}]");
            faults.add_at(path, &problem, "move it before that one, or leave it out");
        }
    }
}

/// Settings of a family that another of its settings makes void.
fn void(family: &FamilySettings, faults: &mut Faults) {
    let hint = "set that to true, or leave this out";
    let others = [
        ("buckets", family.buckets.is_some()),
        ("native", family.native.is_some()),
        ("max_series", family.max_series.is_some()),
        ("max_label_value", family.max_label_value.is_some()),
        ("expire_after", family.expire_after.is_some()),
    ];
    for (field, _) in others.iter().filter(|(_, set)| *set && !family.enabled) {
        faults.add(field, "its `enabled` is false", hint);
    }
    if let Some(native) = family.native.as_ref().filter(|native| !native.enabled)
        && *native != Native::new().enabled(false)
    {
        faults.add(
            "native",
            "its `enabled` is false, so that nothing else in it has an effect",
            hint,
        );
    }
}

/// Contributes settings without effect to the health report.
struct Unused {
    settings: Settings,
    /// Weak, since the registry keeps the health report alive, which holds this.
    registry: WeakRegistry,
    taken: Arc<Taken>,
    clock: Clock,
    start: SystemTime,
    settled: Instant,
}

impl Unused {
    fn notes(&self) -> Vec<Note> {
        let settled = self.clock.now() >= self.settled;
        let known = self.settings.unused(None);
        let mut later = Faults::new();
        if let Some(registry) = self.registry.upgrade().filter(|_| settled) {
            later = self.settings.unused(Some(&self.taken));
            later.append(registry.unused_settings());
        }
        let is_known = |text: &String| known.iter().any(|fault| fault.to_string() == *text);
        let later = later
            .iter()
            .map(ToString::to_string)
            .filter(|text| !is_known(text));
        let known = known.iter().map(|fault| (self.start, fault.to_string()));
        let all = known.chain(later.map(|text| (self.start + SETTLED, text)));
        all.map(|(at, text)| Note::new(at, "configuration", text))
            .collect()
    }
}

impl Contributor for Unused {
    fn facts(&self) -> Vec<Fact> {
        match self.notes().len() {
            0 => Vec::new(),
            unused => vec![Fact::new("settings without effect", unused.to_string())],
        }
    }

    fn recent(&self) -> Vec<Note> {
        self.notes()
    }
}

/// Adds settings without effect to the health report.
pub(super) fn report(
    config: &Config,
    registry: &Registry,
    clock: &Clock,
    health: &Health,
    taken: &Arc<Taken>,
) {
    let settings = Settings::new(config);
    if !settings.changed.is_empty() {
        health.add(Arc::new(Unused {
            settings,
            registry: registry.downgrade(),
            taken: Arc::clone(taken),
            clock: clock.clone(),
            start: clock.wall(),
            settled: clock.now() + SETTLED,
        }));
    }
}

impl Selfheal {
    /// The settings that have no effect so far: of a part that the application does not use (the
    /// HTTP layer, the endpoints, their listener, healing) or that is not compiled in, overridden
    /// by another setting, or of metrics that do not exist or cannot use them
    /// ([`Registry::unused_settings`]).
    ///
    /// The health report lists them too: those known from the configuration from the start, the
    /// others after a minute, when the application has taken what it uses.
    ///
    /// ```
    /// use selfheal::config::{Config, Http};
    ///
    /// # fn main() -> Result<(), selfheal::InstallError> {
    /// let heal = selfheal::Selfheal::new(Config::new().http(Http::new().sample_rate(0.5)))?;
    /// assert_eq!(
    ///     heal.unused_settings().to_string(),
    ///     "http.sample_rate: the HTTP layer is not in use; \
    ///      put `Selfheal::http_layer` on the router, or leave it out",
    /// );
    /// let _layer = heal.http_layer();
    /// assert!(heal.unused_settings().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn unused_settings(&self) -> Faults {
        let settings = Settings::new(self.config());
        let mut faults = settings.unused(Some(&self.inner.taken));
        faults.append(self.registry().unused_settings());
        faults
    }
}
