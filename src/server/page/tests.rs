use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::BodyExt;

use super::live::{Live, serve as events};
use super::*;
use crate::health::{Check, Component, Fact, Note, Report, Status, Traffic, score};

const EPOCH: SystemTime = SystemTime::UNIX_EPOCH;

fn page(report: &Report, now: u64) -> String {
    let now = EPOCH + Duration::from_secs(now);
    let place = Place {
        beside: "selfheal/",
        links: &[("metrics".to_owned(), "metrics")],
        token: None,
        charts: Some("shop"),
        configuration: None,
    };
    render(report, &place, now)
}

#[test]
fn nothing_that_is_shown_can_become_markup() {
    let evil = "<script>alert(\"x\")</script>";
    let parts = vec![Component::new(evil).health(0.0, evil)];
    let mut report = Report::new(score(None, &parts), parts);
    report.service = evil.to_owned();
    report.version = evil.to_owned();
    report.facts.push(Fact::new(evil, evil));
    report.guards.push(Fact::new(evil, evil));
    report.ready = Check::failed(evil);
    let note = Note::new(EPOCH, evil, evil).detail(evil).key(evil);
    report.recent.push(note.clone());
    report.alerts.push(note.clone());
    report.open.push(note);
    let page = page(&report, 0);
    assert_eq!(page.matches("<script").count(), 3, "the files: {page}");
    assert!(page.matches("&lt;script&gt;").count() > 12);
    assert!(page.contains("class=\"pill down\""));
}

#[test]
fn control_characters_are_shown_as_text() {
    let parts = vec![Component::new("db\u{202e}\n\u{1b}[31m").health(0.0, "a\u{200b}b")];
    let report = Report::new(score(None, &parts), parts);
    let page = page(&report, 0);
    let lines = page.strip_suffix('\n').unwrap();
    assert_eq!(crate::util::Printable(lines).to_string(), lines);
    assert!(page.contains(">db\\u{202e}\\n\\u{1b}[31m<"), "{page}");
    assert!(page.contains(">a\\u{200b}b<"), "{page}");
}

#[test]
fn an_alert_keeps_its_name_which_is_said_once() {
    let parts = vec![Component::new("shop")];
    let mut report = Report::new(score(None, &parts), parts);
    let note = |component: &str, text: &str| Note::new(EPOCH, component, text);
    report.open = vec![
        note("shop", "HighErrorRate"),
        note("HighErrorRate", "HighErrorRate"),
        note("config", "File corrupt"),
    ];
    let page = page(&report, 0);
    for line in [
        "<b>shop</b> HighErrorRate<",
        "<b>HighErrorRate</b><",
        "<b>config</b> file corrupt<",
    ] {
        assert!(page.contains(line), "{line} in {page}");
    }
    assert!(!page.contains("higherrorrate"), "{page}");
}

#[test]
fn what_a_person_wants_to_know_is_on_it() {
    let parts = [
        Component::new("mailer").share(0.15).health(0.5, "restart"),
        Component::new("db"),
    ];
    let mut report = Report::new(score(None, &parts[..1]), parts.to_vec());
    report.service = "shop".to_owned();
    report.uptime_seconds = 3_700.5;
    report.facts.push(Fact::new("issues healed", "19"));
    report.guards.push(Fact::new("running now", "1 of 4"));
    report.live = Check::failed("stuck");
    report.traffic = Some(Traffic {
        good: 598,
        total: 600,
    });
    report.traffic_seconds = 300.0;
    let at = EPOCH + Duration::from_secs(90_000);
    report.alerts.push(
        Note::new(at, "mailer", "it was restarted again and again")
            .status(Status::Down)
            .detail("Flapping"),
    );
    report
        .recent
        .push(Note::new(at, "config", "File corrupt, healed").detail("1.0 s"));
    report
        .open
        .push(Note::new(at, "mailer", "Task panicked").detail("next in 2 s"));
    let page = page(&report, 90_061);
    for part in [
        "<title>▲ degraded · shop</title>",
        "<h1>shop</h1>",
        "up 1 h 1 min",
        "<div class=\"big\">92.5<small>of 100</small></div>",
        "; 50 % of its inputs are known",
        "92.5 = 100 − 7.5: mailer restart, carries 15 % of traffic",
        "No progress inside</b><span class=\"next\">stuck",
        "mailer: flapping</b><span class=\"next\">it was restarted again and again",
        "<div class=\"big\">2<small>/s</small></div><p class=\"why\">in the last 5 min</p>",
        "<div class=\"big\">0.33<small>%</small></div>",
        "<time class=\"when\" data-at=\"90000\">61 s ago</time><b>config</b>",
        "File corrupt, healed</span><span class=\"figure\">1.0 s</span>",
        "<b>mailer</b> task panicked<time",
        "<p class=\"why\">next in 2 s</p>",
        "<dt>running now</dt><dd>1 of 4</dd><dt>issues healed</dt><dd>19</dd>",
        "<dt>as of</dt><dd>01:01:01 UTC</dd>",
        "<link rel=\"stylesheet\" href=\"selfheal/page.css\">",
        "<body data-beside=\"selfheal/\">",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("Not ready"));
}

#[test]
fn what_an_engine_watches_stands_below_it() {
    let parts = vec![
        Component::new("mailer")
            .engine("mailer")
            .health(1.0, "well"),
        Component::new("eu").engine("replicas").health(0.5, "late"),
        Component::new("db").health(1.0, "well"),
        Component::new("us").engine("replicas").health(1.0, "well"),
    ];
    let page = page(&Report::new(score(None, &parts), parts), 0);
    let (_, parts) = page.split_once("<ul class=\"parts\">").unwrap();
    let (parts, _) = parts.split_once("<div id=\"open\"").unwrap();
    let names: Vec<_> = parts
        .split("class=\"name\">")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    assert_eq!(names, ["replicas", "eu", "us", "mailer", "db"]);
    assert_eq!(parts.matches("class=\"branch\"").count(), 1);
    let below = parts.split("<ul class=\"parts\">").nth(1).unwrap();
    assert_eq!(
        below
            .split("</ul></li>")
            .next()
            .unwrap()
            .matches("<li>")
            .count(),
        2
    );
}

/// The text of a page, with the characters that HTML escapes.
#[cfg(feature = "rules")]
fn plain(page: String) -> String {
    [
        ("&gt;", ">"),
        ("&lt;", "<"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(page, |page, (written, meant)| page.replace(written, meant))
}

/// Each heal of the last hour counts, that of a component which never had one before too.
#[cfg(feature = "rules")]
#[test]
fn heals_of_the_last_hour_are_counted_exactly() {
    use crate::testing::promqltest::{Outcome, run};

    let report = Report::new(score(None, &[]), Vec::new());
    let page = plain(page(&report, 0));
    let figure = page.split("<h2>Healed in an hour").next().unwrap();
    let expression = figure.rsplit("data-query=\"").next().unwrap();
    let expression = &expression[..expression.find("\" data-unit").unwrap()];
    let success = "shop_healing_success_total";
    for (what, series, at, expected) in [
        (
            "a first heal of a young process",
            format!("{success}{{component=\"a\"}} _x9 1x60\n  process_start_time_seconds 0x70"),
            "12m",
            "{} 1",
        ),
        (
            "a first heal of a component",
            format!(
                "{success}{{component=\"a\"}} 5x130\n  {success}{{component=\"b\"}} _x99 2x30\n  \
                 process_start_time_seconds 0x130"
            ),
            "120m",
            "{} 2",
        ),
        (
            "a first heal of all, of an old process",
            format!("{success} _x99 3x30\n  process_start_time_seconds -9999x130"),
            "120m",
            "{} 3",
        ),
        (
            "a history that is younger than the process",
            format!("{success} 5x4 7x30\n  process_start_time_seconds -9999x30"),
            "10m",
            "{} 2",
        ),
        (
            "nothing was healed",
            "process_start_time_seconds 0x130".to_owned(),
            "120m",
            "{} 0",
        ),
        (
            "a time before the first sample",
            format!("{success} _x9 1x60\n  process_start_time_seconds _x9 0x60"),
            "5m",
            "",
        ),
    ] {
        let cases = run(&format!(
            "load 1m\n  {series}\n  shop_healing_queue_size _x9 0x130\n\neval instant at {at} {expression}\n  {expected}\n"
        ));
        let outcomes: Vec<_> = cases.into_iter().map(|case| case.outcome).collect();
        assert_eq!(outcomes, [Outcome::Passed], "{what}");
    }
}

/// With its namespace, each expression can be evaluated.
#[cfg(feature = "rules")]
#[test]
fn figures_and_charts_ask_what_can_be_answered() {
    let report = Report::new(score(None, &[]), Vec::new());
    let page = plain(page(&report, 0));
    let mut found = 0;
    for part in page.split("data-query=\"").skip(1) {
        let end = part.find("\" data-unit").unwrap();
        crate::promql::Query::parse(&part[..end]).unwrap();
        found += 1;
    }
    let lines = page.split("data-lines=\"").nth(1).unwrap();
    let lines = &lines[..lines.find("\" data-unit").unwrap()];
    let lines: Vec<(String, String)> = serde_json::from_str(lines).unwrap();
    for (_, expression) in &lines {
        crate::promql::Query::parse(expression).unwrap();
    }
    assert_eq!((found, lines.len()), (9, 2));
    assert!(page.contains("sum(rate(shop_http_requests_total[1m]))"));
}

/// A range is shown only if it is one.
#[test]
fn the_score_is_up_to_something_only_above_itself() {
    let parts = [
        (
            Some(0.15),
            "<p class=\"why\">92.5 = 100 − 7.5: mailer restart, carries 15 % of traffic; 50 % of",
        ),
        (None, "; up to 100, since 0 % of its inputs are known"),
    ];
    for (share, expected) in parts {
        let mut mailer = Component::new("mailer").health(0.5, "restart");
        if let Some(share) = share {
            mailer = mailer.share(share);
        }
        let components = vec![mailer];
        let report = Report::new(score(None, &components), components);
        let page = page(&report, 0);
        assert!(page.contains(expected), "{page}");
    }
}

/// The worst is shown first, and lists have a limit.
#[test]
fn many_components_and_faults_are_folded() {
    let mut parts: Vec<_> = (0..50)
        .map(|n| Component::new(format!("part-{n}")).health(1.0, "well"))
        .collect();
    parts.push(Component::new("ill").health(0.0, "down"));
    let mut report = Report::new(score(None, &parts), parts);
    report.open = vec![Note::new(EPOCH, "ill", "Down"); 100];
    let page = page(&report, 0);
    let ill = page.find(">ill<").unwrap();
    assert!(page.find(">part-0<").unwrap() > ill);
    assert!(page.contains("<summary>47 more</summary>"), "{page}");
    assert!(page.contains("and 80 more"), "{page}");
}

#[test]
fn everything_together_is_small_and_what_the_policy_allows() {
    let whole: usize = FILES.iter().map(|(.., content)| content.len()).sum();
    let report = Report::new(score(None, &[]), Vec::new());
    let page = page(&report, 0);
    assert!(whole + page.len() < 100_000, "{whole}");
    for banned in [
        " style=",
        " onclick",
        "<style",
        "javascript:",
        "http:",
        "https:",
    ] {
        assert!(!page.contains(banned), "{banned}");
    }
}

/// The configuration rejects these paths for the metrics.
#[test]
fn what_is_beside_the_page_is_known_to_the_configuration() {
    let files = FILES.map(|(name, ..)| name);
    for name in files.into_iter().chain([EVENTS]) {
        assert!(
            crate::config::is_beside(&format!("/ops/{name}"), "/ops/"),
            "{name}"
        );
    }
}

/// The events of one browser: the whole page first, then changes, and a regular end.
#[tokio::test(start_paused = true)]
async fn a_browser_is_sent_what_changed() {
    let health = Arc::new(parking_lot::Mutex::new("well"));
    let shown = Arc::clone(&health);
    let report = move || {
        let parts = vec![Component::new("db").health(1.0, *shown.lock())];
        Report::new(score(None, &parts), parts)
    };
    let live = Live::new(Arc::new(report), live_sections);
    let mut body = events(&live).into_body();
    let mut next = async || -> Option<String> {
        let frame = body.frame().await?.unwrap().into_data().unwrap();
        Some(String::from_utf8(frame.to_vec()).unwrap())
    };
    let first = next().await.unwrap();
    assert!(first.starts_with("retry: 250\ndata: {"), "{first}");
    for (id, _) in SECTIONS {
        assert!(first.contains(&format!("\"{id}\":")), "{id}: {first}");
    }
    assert_eq!(next().await.unwrap(), "data: {}\n\n", "nothing changed");
    *health.lock() = "slow\nindeed";
    let third = next().await.unwrap();
    assert!(third.contains("\"components\":") && !third.contains("\"head\":"));
    assert_eq!(third.matches('\n').count(), 2, "one line: {third}");
    let mut more = 0;
    while next().await.is_some() {
        more += 1;
    }
    assert_eq!(more, 5, "it ends before the time of a request is up");
}

#[tokio::test(start_paused = true)]
async fn only_so_many_browsers_are_served() {
    let health = || Report::new(score(None, &[]), Vec::new());
    let live = Live::new(Arc::new(health), live_sections);
    let open: Vec<_> = (0..32).map(|_| events(&live)).collect();
    assert!(open.iter().all(|response| response.status() == 200));
    let refused = events(&live);
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    drop(open);
    assert_eq!(events(&live).status(), 200);
}
