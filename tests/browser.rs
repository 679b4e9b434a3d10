//! The page in a real browser: it follows events without a reload, a person decides
//! on it, and the browser has nothing to complain about. `tests/all.sh browser` brings the browser.

#![cfg(all(
    feature = "files",
    feature = "server",
    feature = "rules",
    feature = "http"
))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

mod support;

use std::fs;
use std::path::PathBuf;

use selfheal::Selfheal;
use selfheal::config::{Config, Secret, Server, Service};
use selfheal::server::Listener;
use support::browser::Browser;
use tempfile::TempDir;

struct Shop {
    heal: Selfheal,
    listener: Listener,
    folder: TempDir,
}

impl Shop {
    fn file(&self) -> PathBuf {
        self.folder.path().join("shop.toml")
    }

    fn url(&self) -> String {
        format!("http://ann:word@{}/", self.listener.address())
    }
}

/// A service with a guarded file, in which people may decide.
fn shop() -> Shop {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("shop.toml"), "greeting = \"hello\"\n").unwrap();
    let server = Server::new()
        .listen("127.0.0.1:0".parse().unwrap())
        .basic_auth("ann", Secret::new("word"))
        .control(true);
    let service = Service::new("shop <script>alert(1)</script>");
    let mut config = Config::new().service(service).server(server);
    config.healing.settle = std::time::Duration::from_secs(1);
    let heal = Selfheal::new(config).unwrap();
    let path = folder.path().join("shop.toml");
    let valid = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let table = text.parse::<toml::Table>();
        table.map(drop).map_err(|error| error.to_string())
    };
    heal.guard_file("config", &path)
        .validate(valid)
        .install()
        .unwrap();
    let listener = heal.listen().unwrap();
    Shop {
        heal,
        listener,
        folder,
    }
}

const TEXT: &str = "document.body.innerText";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: run `tests/all.sh browser`"]
async fn chromium_a_person_sees_a_fault_come_and_go_and_decides() {
    let shop = shop();
    let browser = Browser::start();
    browser.resize(1200, 900);
    browser.open(&shop.url());
    browser.wait(
        "the page is live",
        "document.getElementById('live').textContent === 'live'",
    );
    browser.value("window.loadedOnce = true");
    fs::write(shop.file(), "greeting = \"hel").unwrap();
    let healed = format!("/File corrupt: restore.*healed/.test({TEXT})");
    browser.wait("the fault was healed", &healed);
    assert_eq!(
        browser.value("window.loadedOnce"),
        true,
        "it was not reloaded"
    );
    assert_eq!(
        fs::read_to_string(shop.file()).unwrap(),
        "greeting = \"hello\"\n"
    );
    // A person pauses healing, after reading what it does.
    browser.click("button[name=pause]");
    browser.click("#confirm");
    browser.wait(
        "healing is paused",
        &format!("/healing is\\s*paused/.test({TEXT})"),
    );
    let records = shop.heal.healing().unwrap().recent(50);
    let written = records.iter().any(|record| {
        let text = serde_json::to_string(&**record).unwrap();
        text.contains("pause") && text.contains("ann")
    });
    assert!(written, "who decided is on record");
    browser.wait(
        "the other button is there",
        "!!document.querySelector('button[name=resume]')",
    );
    // The name of the service is text.
    assert_eq!(
        browser.value("document.querySelectorAll('script:not([src])').length"),
        0
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

/// A series of a histogram is described under the name of the histogram.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: run `tests/all.sh browser`"]
async fn chromium_a_person_asks_for_a_metric_and_for_an_expression() {
    let shop = shop();
    let sale = shop
        .heal
        .registry()
        .histogram("sale_seconds", "Time of a sale");
    sale.build().unwrap().observe(0.5);
    let browser = Browser::start();
    browser.open(&shop.url());
    let ask = |expression: &str, answer: &str| {
        let expression = serde_json::json!(expression);
        browser.value(&format!(
            "document.getElementById('ask').value = {expression}"
        ));
        browser.click("#explorer button");
        let about = "document.getElementById('about').textContent";
        browser.wait(
            answer,
            &format!("{about}.includes({})", serde_json::json!(answer)),
        );
    };
    ask(
        "sale_seconds_count",
        "1 series · histogram · Time of a sale",
    );
    // The parts of a chart are drawn with its text.
    let axis = || {
        let texts = "[...document.querySelectorAll('#answer text')].map((one) => one.textContent)";
        let texts = browser.value(texts);
        let texts: Vec<String> = serde_json::from_value(texts).unwrap();
        texts
            .into_iter()
            .filter(|text| !text.contains("min") && text != "now")
            .collect::<Vec<_>>()
    };
    browser.wait("a chart", "!!document.querySelector('#answer text')");
    assert!(
        axis().iter().all(|text| text.parse::<f64>().is_ok()),
        "a count has no unit: {:?}",
        axis()
    );
    ask("sum(sale_seconds_sum)", "1 series");
    browser.wait("seconds", "[...document.querySelectorAll('#answer text')].some((one) => / m?s$/.test(one.textContent))");
    ask("no_such_metric", "0 series");
    ask("sum(", "unclosed left parenthesis");
}

/// What was answered before is not asked for again, and stays in the chart. The page's clock is set
/// forward twice: the second time, the steps from before the first one are not asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: run `tests/all.sh browser`"]
async fn chromium_the_page_asks_for_the_steps_since_its_last_answer() {
    let query = "sum(process_resident_memory_bytes)";
    let shop = shop();
    let browser = Browser::start();
    browser.open(&shop.url());
    browser.value(&format!(
        "(() => {{ window.longest = 0; const real = window.fetch; window.fetch = (url, ...rest) => {{\
         const asked = new URL(url).searchParams;\
         if (asked.get('query') === '{query}') window.longest = asked.get('end') - asked.get('start');\
         return real(url, ...rest); }}; }})()"
    ));
    let path = format!("document.querySelector('[data-query=\"{query}\"] .spark path')");
    let points =
        format!("(({path} || {{ getAttribute: () => '' }}).getAttribute('d').split('L').length)");
    browser.wait("two steps are drawn", &format!("{points} >= 2"));
    for points_then in [28, 56] {
        let forward = "(() => { const real = Date.now; Date.now = () => real() + 140000; })()";
        browser.value(forward);
        browser.wait(
            "the later steps are drawn",
            &format!("{points} >= {points_then}"),
        );
    }
    let longest = browser.value("longest").as_f64().unwrap();
    assert!(
        (5.0..=205.0).contains(&longest),
        "{longest} s were asked for, 900 are shown"
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

/// As wide as a phone and as a desk, in both themes: nothing is cut off, and nothing that an
/// accessibility check calls serious.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: run `tests/all.sh browser`"]
async fn chromium_it_can_be_read_by_everyone_everywhere() {
    let shop = shop();
    let browser = Browser::start();
    let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    for (width, height) in [(1200, 900), (390, 844)] {
        browser.resize(width, height);
        for theme in ["light", "dark"] {
            browser.theme(theme);
            browser.open(&shop.url());
            browser.wait(
                "the page is live",
                "document.getElementById('live').textContent === 'live'",
            );
            fs::write(shop.file(), "greeting = \"hel").unwrap();
            browser.wait("a fault is shown", &format!("/File corrupt/.test({TEXT})"));
            let wide = browser.value("document.documentElement.scrollWidth > innerWidth");
            assert_eq!(wide, false, "at {width} pixels");
            browser.picture(&pictures.join(format!("page-{width}-{theme}.png")));
            if let Ok(axe) = std::env::var("TEST_AXE") {
                let axe = fs::read_to_string(axe).unwrap();
                let script = format!(
                    "{axe};const done = arguments[arguments.length - 1];\
                     axe.run().then((found) => done(found.violations\
                     .filter((one) => ['serious', 'critical'].includes(one.impact))\
                     .map((one) => one.id + ': ' + one.nodes.map((node) => node.html).join(' '))))"
                );
                let serious = browser.answer(&script);
                assert_eq!(serious, serde_json::json!([]), "at {width}, {theme}");
            }
        }
    }
    // When the process is gone, the page says so.
    drop(shop.listener);
    browser.wait(
        "it is stale",
        "/no answer|stale/.test(document.getElementById('live').textContent)",
    );
}
