//! A real Alertmanager that delivers to a webhook, and its HTTP API.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::eventually;
use super::http::Request;
use super::process::Process;
use super::prometheus::program;

const START: Duration = Duration::from_secs(60);

/// A running Alertmanager. Dropping it ends the process and removes its data.
pub(crate) struct Alertmanager {
    /// Where its own HTTP interface listens.
    pub(crate) address: SocketAddr,
    // In this order: the process ends before its folder is removed.
    process: Process,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts one that delivers all alerts to `url` with a token, at once, and repeats them every
    /// second; waits until it is ready.
    pub(crate) fn start(url: &str, token: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("alertmanager.yml");
        let text = format!(
            "route: {{receiver: shop, group_by: [alertname], group_wait: 100ms, \
             group_interval: 1s, repeat_interval: 1s}}\n\
             receivers:\n\
             - name: shop\n  \
               webhook_configs:\n  \
               - url: '{url}'\n    \
                 send_resolved: true\n    \
                 http_config: {{authorization: {{type: Bearer, credentials: '{token}'}}}}\n"
        );
        std::fs::write(&config, text).expect("the configuration is written");
        Self::launch(&config, folder)
    }

    /// Starts one with a configuration that is there, and waits until it is ready.
    pub(crate) fn with_config(config: &Path) -> Self {
        Self::launch(config, tempfile::tempdir().expect("a temporary folder"))
    }

    fn launch(config: &Path, folder: TempDir) -> Self {
        let data = folder.path().join("data");
        let process = Process::spawn(
            Command::new(program("TEST_ALERTMANAGER"))
                .arg("--web.listen-address=127.0.0.1:0")
                .arg("--cluster.listen-address=")
                .arg("--log.format=logfmt")
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.path={}", data.display())),
        );
        let address = process.wait_for_line(START, "the address it listens on", |line| {
            let (_, rest) = line.split_once("msg=\"Listening on\"")?;
            let (_, rest) = rest.split_once("address=")?;
            rest.split(' ').next()?.parse().ok()
        });
        let server = Self {
            address,
            process,
            _folder: folder,
        };
        eventually(START, "/-/ready answers 200", || {
            let answer = Request::get(&server.url("/-/ready")).send();
            match answer {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(format!("{other:?}\n{}", server.process.text())),
            }
        });
        server
    }

    /// Sends alerts to it, as a Prometheus server does.
    pub(crate) fn send(&self, alerts: &Value) {
        let answer = Request::post(&self.url("/api/v2/alerts"), alerts.to_string())
            .header("content-type", "application/json")
            .send()
            .expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The alerts that are active.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        let answer = Request::get(&self.url("/api/v2/alerts")).send();
        let alerts = answer.expect("an answer").json();
        alerts.as_array().expect("a list of alerts").clone()
    }

    /// Its output so far.
    pub(crate) fn text(&self) -> String {
        self.process.text()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
