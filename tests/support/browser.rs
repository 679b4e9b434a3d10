//! A headless Chromium, driven by the W3C's WebDriver protocol through chromedriver.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::eventually;
use super::http::Request;
use super::process::Process;

/// A browser may take this long to start, and a page to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one window. It ends when this is dropped.
pub(crate) struct Browser {
    session: String,
    _driver: Process,
}

impl Browser {
    /// Starts chromedriver and a browser: the programs that `TEST_CHROMEDRIVER` and
    /// `TEST_CHROMIUM` name.
    pub(crate) fn start() -> Self {
        let program = |variable: &str| {
            let named = std::env::var(variable);
            named.unwrap_or_else(|_| {
                panic!("{variable} names no program; run `tests/all.sh browser`")
            })
        };
        let (driver, browser) = (program("TEST_CHROMEDRIVER"), program("TEST_CHROMIUM"));
        let driver = Process::spawn(Command::new(driver).arg("--port=0"));
        let port = driver.wait_for_line(PATIENCE, "the port of chromedriver", |line| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": browser, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }}});
        let url = format!("http://127.0.0.1:{port}/session");
        let started = call(&Request::post(&url, wanted.to_string()));
        let id = started["sessionId"].as_str().expect("a session");
        Self {
            session: format!("{url}/{id}"),
            _driver: driver,
        }
    }

    fn post(&self, command: &str, parameters: &Value) -> Value {
        let url = format!("{}/{command}", self.session);
        call(&Request::post(&url, parameters.to_string()))
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// `light` or `dark`.
    pub(crate) fn theme(&self, theme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        let call = json!({ "cmd": command, "params": parameters });
        self.post("goog/cdp/execute", &call);
    }

    /// The value of a JavaScript expression on the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let script = json!({ "script": format!("return {expression}"), "args": [] });
        self.post("execute/sync", &script)
    }

    /// The value that a script passes to its last argument, a function.
    pub(crate) fn answer(&self, script: &str) -> Value {
        self.post("execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression on the page is true.
    pub(crate) fn wait(&self, what: &str, expression: &str) {
        eventually(PATIENCE, what, || match self.value(expression) {
            Value::Bool(true) => Ok(()),
            other => Err(format!(
                "{other}; the page: {}",
                self.value("document.body.innerText")
            )),
        });
    }

    /// Clicks an element as a person does: one that is hidden or covered fails the test.
    pub(crate) fn click(&self, selector: &str) {
        let found = self.post(
            "element",
            &json!({ "using": "css selector", "value": selector }),
        );
        let id = found
            .as_object()
            .and_then(|element| element.values().next());
        let id = id.and_then(Value::as_str).expect("the element");
        self.post(&format!("element/{id}/click"), &json!({}));
    }

    /// The browser's errors since the last call.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({ "type": "browser" }));
        let lines = log.as_array().expect("a list").iter();
        lines
            .filter(|line| line["level"] == "SEVERE" || line["level"] == "WARNING")
            .map(|line| line["message"].to_string())
            .collect()
    }

    /// Saves a picture of the window.
    pub(crate) fn picture(&self, path: &Path) {
        use base64::Engine as _;
        let taken = call(&Request::get(&format!("{}/screenshot", self.session)));
        let text = taken.as_str().expect("a picture");
        let bytes = base64::engine::general_purpose::STANDARD.decode(text);
        std::fs::write(path, bytes.expect("base64")).expect("the picture is written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let end = Request::new("DELETE", &self.session).timeout(Duration::from_secs(5));
        let _ = end.send();
    }
}

fn call(request: &Request) -> Value {
    let response = request.clone().timeout(PATIENCE).send();
    let response = response.expect("chromedriver answers");
    let mut body = response.json();
    assert_eq!(response.status, 200, "{body}");
    body["value"].take()
}
