//! The handle: installed once, configured as a whole, everything on one page.
#![expect(
    clippy::unwrap_used,
    reason = "clippy sees tests only in functions marked as such"
)]

mod support;

use std::collections::BTreeSet;

use selfheal::collect::BuildInfo;
use selfheal::config::{Server, Service};
use selfheal::groups::LlmCall;
use selfheal::registry::Registry;
use selfheal::{Config, InstallError, Selfheal};
use support::http::Request;

fn config() -> Config {
    Config::new()
        .namespace("shop")
        .global_label("env", "production")
        .service(Service::new("shop").version("1.2.3"))
        .server(Server::new().listen("127.0.0.1:0".parse().unwrap()))
}

#[test]
fn installed_once_and_what_trackers_use() {
    let heal = selfheal::install(config()).unwrap();
    assert!(matches!(
        selfheal::install(config()),
        Err(InstallError::Twice)
    ));
    LlmCall::start("openai", "gpt-4", "completion").success(10, 5, 0.01);
    let listener = heal.listen().unwrap();
    let page = Request::get(&format!("http://{}/metrics", listener.address()))
        .send()
        .unwrap();
    let series = r#"shop_llm_tokens_total{env="production",provider="openai",model="gpt-4",type="input"} 10"#;
    assert!(page.text().contains(series), "{}", page.text());
    for name in [
        "process_resident_memory_bytes",
        "shop_uptime_seconds",
        "shop_service_info",
    ] {
        assert!(
            page.text().lines().any(|line| line.starts_with(name)),
            "{name}"
        );
    }
    assert!(
        page.text()
            .contains("\nshop_system_health_score{env=\"production\"} 100\n")
    );
}

#[test]
fn a_bad_configuration_names_every_fault_and_changes_nothing() {
    let before = Registry::global().settings();
    let bad = Config::new()
        .namespace("9 lives")
        .global_label("__name__", "x");
    let error = selfheal::install(bad).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("namespace") && text.contains("global_labels"),
        "{text}"
    );
    // Another test may install in between; this configuration must not have taken effect.
    assert_ne!(Registry::global().settings().namespace, "9 lives");
    assert_ne!(before.namespace, "9 lives");
}

#[test]
fn two_handles_share_nothing() {
    let (one, two) = (
        Selfheal::new(config()).unwrap(),
        Selfheal::new(config()).unwrap(),
    );
    one.registry()
        .counter("orders_total", "Orders")
        .build()
        .unwrap()
        .inc();
    let names = |heal: &Selfheal| -> BTreeSet<String> {
        heal.registry()
            .gather()
            .iter()
            .map(|family| family.def.name.to_string())
            .collect()
    };
    assert!(names(&one).contains("orders_total"));
    assert!(!names(&two).contains("orders_total"));
}

#[test]
fn the_application_can_say_that_it_is_not_ready() {
    let heal = Selfheal::new(config()).unwrap();
    let listener = heal.listen().unwrap();
    let ready = || {
        let url = format!("http://{}/readyz", listener.address());
        Request::get(&url).send().unwrap().status
    };
    assert_eq!(ready(), 200);
    heal.set_not_ready(Some("warming up"));
    assert_eq!(ready(), 503);
    heal.set_not_ready(None);
    assert_eq!(ready(), 200);
}

#[test]
fn credentials_guard_the_listener() {
    let server = Server::new()
        .listen("127.0.0.1:0".parse().unwrap())
        .basic_auth("prometheus", selfheal::config::Secret::new("s3cret"))
        .bearer_token(selfheal::config::Secret::new("t0ken"));
    let heal = Selfheal::new(config().server(server)).unwrap();
    let listener = heal.listen().unwrap();
    let status = |authorization: &str| {
        Request::get(&format!("http://{}/metrics", listener.address()))
            .header("authorization", authorization)
            .send()
            .unwrap()
            .status
    };
    assert_eq!(status("Basic cHJvbWV0aGV1czpzM2NyZXQ="), 200);
    assert_eq!(status("Bearer t0ken"), 200);
    assert_eq!(status("Bearer s3cret"), 401);
    assert!(!format!("{heal:?}").contains("s3cret"));
}

/// The version of the build is shown, unless the configuration has one.
#[test]
fn the_version_is_that_of_the_build() {
    for (service, expected) in [
        (Service::new("shop"), "0.7.1"),
        (Service::new("shop").version("1.2.3"), "1.2.3"),
    ] {
        let heal = Selfheal::new(Config::new().service(service)).unwrap();
        heal.built_from(BuildInfo::new("0.7.1")).unwrap();
        assert_eq!(heal.report().version, expected);
    }
}

#[cfg(all(feature = "healing", feature = "toml"))]
#[tokio::test]
async fn an_edited_policy_is_taken_and_a_faulty_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("selfheal.toml");
    let heal = Selfheal::new(config()).unwrap();
    let reload = |text: &str| {
        std::fs::write(&path, text).unwrap();
        heal.reload_policy(Config::from_file(&path))
    };
    let settle = || heal.healing().unwrap().policy().settle.as_secs();
    let before = settle();
    reload("[healing]\nsettle = \"77s\"").unwrap();
    assert_ne!(before, 77);
    assert_eq!(settle(), 77);
    for (bad, named) in [
        ("[healing]\nsetle = \"9s\"", "healing.setle (line 2)"),
        (
            "[healing]\nsettle = \"9s\"\nattempts = 0",
            "healing.attempts (line 3)",
        ),
        ("[healing", "line 1"),
    ] {
        let error = reload(bad).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
        assert_eq!(settle(), 77, "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let gone = heal.reload_policy(Config::from_file(&path)).unwrap_err();
    assert!(
        gone.to_string()
            .starts_with("the policy in force stays: cannot read")
    );
}

/// To block on a runtime inside of another one, or to drop one there, is a panic of tokio.
#[test]
fn inside_of_a_runtime_of_either_kind_everything_starts_and_stops() {
    use tokio::runtime::Builder;
    for mut kind in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let runtime = kind.enable_all().build().unwrap();
        runtime.block_on(async {
            let heal = Selfheal::new(config()).unwrap();
            let listener = heal.listen().unwrap();
            let url = format!("http://{}/metrics", listener.address());
            let page = tokio::task::spawn_blocking(move || Request::get(&url).send());
            assert_eq!(page.await.unwrap().unwrap().status, 200);
            drop(listener);
            assert!(heal.shutdown().await);
        });
    }
}

#[cfg(feature = "files")]
#[tokio::test(start_paused = true)]
async fn the_report_lists_what_was_healed_what_is_guarded_and_what_is_held_back() {
    use selfheal::healing::By;
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.toml");
    std::fs::write(&path, "good").unwrap();
    let heal = Selfheal::new(config()).unwrap();
    let healed = |heal: &Selfheal| {
        let facts = heal.report().facts.into_iter();
        let reported: Vec<_> = facts
            .map(|fact| [fact.name, fact.value].join(" "))
            .collect();
        reported.join(", ")
    };
    assert_eq!(healed(&heal), "issues healed 0, issues open 0");
    heal.guard_file("config", &path)
        .validate(|bytes| bytes.starts_with(b"good").then_some(()).ok_or("bad"))
        .install()
        .unwrap();
    std::fs::write(&path, "garbage").unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        healed(&heal),
        "issues healed 1, issues open 0, files guarded 1"
    );
    let healing = heal.healing().unwrap();
    healing.pause(By::Person("me".into())).unwrap();
    assert_eq!(
        healed(&heal),
        "issues healed 1, issues open 0, healing is paused, files guarded 1"
    );
    assert!(heal.report().alerts.is_empty());
    assert!(heal.shutdown().await);
}

/// A component is well only as long as its detector sees it.
#[tokio::test(start_paused = true)]
async fn a_component_whose_detector_fails_or_hangs_is_not_well() {
    use selfheal::healing::{Context, HealError, Issue, Rule};
    use selfheal::health::{Component, Status};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
    use std::time::Duration;

    const SEES: u8 = 0;
    const FAILS: u8 = 1;
    const HANGS: u8 = 2;
    const PANICS: u8 = 3;

    let seconds = |n| tokio::time::sleep(Duration::from_secs(n));
    let db = |heal: &Selfheal| -> Component {
        let mut all = heal.report().components.into_iter();
        all.find(|one| one.name == "db").unwrap()
    };
    for how in [FAILS, HANGS, PANICS] {
        let heal = Selfheal::new(config()).unwrap();
        heal.carries("db", 0.5);
        let does = Arc::new(AtomicU8::new(SEES));
        let now = Arc::clone(&does);
        let rule = Rule::when("db", move |_: Context| {
            let does = now.load(SeqCst);
            async move {
                match does {
                    SEES => Ok(Vec::new()),
                    FAILS => Err(HealError::retry("no route to host")),
                    PANICS => panic!("I cannot look"),
                    _ => std::future::pending().await,
                }
            }
        })
        .run("nothing", |_: Context, _: Issue| async { Ok(()) })
        .component("db");
        heal.register(rule).unwrap();
        assert_eq!(db(&heal).status(), Status::Unknown, "not checked yet");
        seconds(15).await;
        assert_eq!(
            (db(&heal).status(), db(&heal).health),
            (Status::Up, Some(1.0))
        );
        let known = heal.report().score.coverage;

        does.store(how, SeqCst);
        seconds(12).await;
        let report = heal.report();
        assert_eq!(
            db(&heal).status(),
            Status::Unknown,
            "{how}: {:?}",
            db(&heal)
        );
        assert_eq!(report.status, Status::Unknown);
        assert!(report.score.coverage < known);
        assert!((report.score.low - 50.0).abs() < 1e-9, "{:?}", report.score);
        assert!(
            (report.score.high - 100.0).abs() < 1e-9,
            "{:?}",
            report.score
        );

        seconds(40).await;
        let blind = db(&heal);
        assert_eq!(blind.status(), Status::Degraded, "{how}: {blind:?}");
        assert!(
            blind.detail.starts_with("not seen for "),
            "{}",
            blind.detail
        );
        assert!(heal.report().score.coverage < known, "it is not known");
        let page = serde_json::to_string(&heal.report()).unwrap();
        assert!(
            page.contains(r#""name":"db","status":"degraded""#),
            "{page}"
        );

        does.store(SEES, SeqCst);
        seconds(310).await;
        assert_eq!(db(&heal).status(), Status::Up, "{how}");
        assert!(heal.shutdown().await);
    }
}

/// A program without a line of async code has its engines on the thread of the listener.
#[cfg(all(feature = "healing", feature = "server"))]
#[test]
fn a_program_without_a_runtime_heals_on_the_thread_of_its_listener() {
    use selfheal::config::HealingPolicy;
    use selfheal::healing::core::Confirm;
    use selfheal::healing::{
        Context, Healing, HealingEvent, Issue, Observation, Risk, Rule, StartError, What,
    };
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    // A runtime without timers, I/O and tasks.
    let waiting = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut policy = HealingPolicy::default();
    policy.settle = std::time::Duration::ZERO;
    let heal = Selfheal::new(config().healing(policy)).unwrap();
    let none = |heal: &Selfheal| matches!(heal.healing(), Err(StartError::NoRuntime(_)));
    assert!(none(&heal), "there is no listener yet");
    for round in 0..2 {
        let listener = heal.listen().unwrap();
        let healing: Healing = heal.healing().unwrap();
        let mut events = healing.subscribe();
        let broken = Arc::new(AtomicBool::new(true));
        let (seen, repaired) = (Arc::clone(&broken), Arc::clone(&broken));
        let rule = Rule::when("cache", move |_: Context| {
            let bad = seen.load(SeqCst);
            async move {
                let found = bad.then(|| Observation::new("cache", "corrupt"));
                Ok(found.into_iter().collect())
            }
        })
        .run("rebuild", move |cx: Context, _: Issue| {
            let repaired = Arc::clone(&repaired);
            async move {
                cx.blocking(move || {
                    repaired.store(false, SeqCst);
                    Ok(())
                })
                .await
            }
        })
        .plan(|plan| plan.risk(Risk::Reversible).confirm(Confirm::at_once()));
        heal.register(rule).unwrap();
        let outcome = waiting.block_on(async {
            loop {
                match events.next().await.expect("healing goes on") {
                    HealingEvent::Record(record) => {
                        if let What::Closed { outcome, .. } = &record.what {
                            break *outcome;
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
        });
        assert_eq!(outcome.as_str(), "healed", "round {round}");
        let page = Request::get(&format!("http://{}/metrics", listener.address()))
            .send()
            .unwrap();
        assert!(page.text().contains("shop_healing_success_total"));
        if round == 1 {
            assert!(waiting.block_on(heal.shutdown()));
        }
        listener.shutdown();
        assert!(round == 1 || none(&heal), "it has ended with the listener");
    }
}

/// One handle, and one runtime after another.
#[cfg(feature = "files")]
mod runtimes {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::time::Duration;

    use selfheal::Selfheal;
    use selfheal::config::{Flap, HealingPolicy, Journal};
    use selfheal::healing::{
        By, Closed, Context, Healing, Observation, RegisterError, Restart, Rule, TaskContext,
    };

    use super::config;

    /// A task dies, a file breaks, both are healed; in the third round healing is shut down.
    async fn lives(heal: &Selfheal, path: &std::path::Path, round: u32) -> Healing {
        std::fs::write(path, "80").unwrap();
        let starts = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&starts);
        let task = move |cx: TaskContext| {
            let first = counted.fetch_add(1, SeqCst) == 0;
            async move {
                assert!(!first, "the first one dies");
                cx.cancelled().await;
            }
        };
        heal.supervise("mailer", Restart::Permanent, task)
            .spawn()
            .unwrap();
        heal.guard_file("port", path)
            .validate(|bytes| String::from_utf8_lossy(bytes).parse::<u16>())
            .install()
            .unwrap();
        std::fs::write(path, "junk").unwrap();
        let healing = heal.healing().unwrap();
        let healed = || healing.snapshot().closed.get(Closed::Healed);
        for _ in 0..10_000 {
            if healed() >= 2 {
                break;
            }
            // A file is read on a thread, which a paused clock does not wait for.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(healed() >= 2, "round {round}: {:?}", healing.issues());
        assert_eq!(starts.load(SeqCst), 2, "round {round}");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "80");
        assert!(
            facts(heal).contains(&"files guarded 1".to_owned()),
            "{:?}",
            facts(heal)
        );
        let report = heal.report();
        assert!(
            report.live.ok && report.ready.ok,
            "round {round}: {report:?}"
        );
        if round == 2 {
            assert!(heal.shutdown().await);
            assert!(!heal.report().ready.ok);
        }
        healing
    }

    fn facts(heal: &Selfheal) -> Vec<String> {
        let facts = heal.report().facts.into_iter();
        facts
            .map(|fact| format!("{} {}", fact.name, fact.value))
            .collect()
    }

    /// Each test of an application has a runtime of its own; the handle is the same.
    #[test]
    fn healing_starts_again_in_the_runtime_that_follows() {
        let runtime = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().start_paused(true).build().unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("port.conf");
        // The journal has what was healed before.
        let policy = HealingPolicy::new().flap(Flap::new().heals(64));
        let journal = Journal::new().path(folder.path().join("journal"));
        let config = config().healing(policy).journal(journal);
        let mut now = Some(runtime());
        let heal = now
            .as_ref()
            .unwrap()
            .block_on(async { Selfheal::new(config).unwrap() });
        let workers = "tokio_workers";

        for round in 0..4 {
            let run = now.take().unwrap_or_else(runtime);
            let old = run.block_on(lives(&heal, &path, round));
            let page = heal.registry().gather();
            assert!(
                page.iter().any(|family| family.def.name == workers),
                "round {round}"
            );
            drop(run);

            // Between two runtimes nothing heals, and the report says so.
            let report = heal.report();
            assert!(report.live.ok, "round {round}: {report:?}");
            let said = facts(&heal);
            if round == 2 {
                assert!(
                    said.contains(&"healing is shut down".to_owned()),
                    "{said:?}"
                );
                continue;
            }
            assert!(
                said.iter()
                    .any(|fact| fact.starts_with("healing is ended with its runtime")),
                "{said:?}"
            );
            assert!(said.contains(&"files guarded 0".to_owned()), "{said:?}");
            assert!(heal.healing().is_err(), "there is no runtime here");
            let rule = Rule::when("late", |_: Context| async { Ok(Vec::<Observation>::new()) })
                .run("nothing", |_: Context, _| async { Ok(()) });
            assert!(matches!(
                old.register(rule),
                Err(RegisterError::RuntimeEnded { .. })
            ));
            assert!(old.pause(By::Person("operator".into())).is_err());
        }
    }
}
