//! A real Prometheus server that scrapes what a test names, and its HTTP API.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::eventually;
use super::http::Request;
use super::process::Process;

const START: Duration = Duration::from_secs(60);
/// Time for two scrapes and a slow machine.
const FIRST_SCRAPE: Duration = Duration::from_secs(30);

/// How a server is to be started; see [`Prometheus::builder`].
pub(crate) struct Builder {
    interval: Duration,
    jobs: String,
    features: Vec<&'static str>,
    takes_writes: bool,
    rules: Option<String>,
}

impl Builder {
    /// Evaluates the rules of a file.
    pub(crate) fn rules(mut self, file: &std::path::Path) -> Self {
        self.rules = Some(file.display().to_string());
        self
    }

    /// Scrapes `/metrics` of `target` as the job `name`.
    pub(crate) fn job(self, name: &str, target: SocketAddr) -> Self {
        self.job_with(name, target, &[])
    }

    /// Scrapes `target` with further settings of a scrape configuration, one `key: value` each.
    pub(crate) fn job_with(mut self, name: &str, target: SocketAddr, settings: &[&str]) -> Self {
        let jobs = &mut self.jobs;
        let _ = writeln!(jobs, "  - job_name: '{name}'");
        let _ = writeln!(jobs, "    static_configs: [{{targets: ['{target}']}}]");
        for setting in settings {
            let _ = writeln!(jobs, "    {setting}");
        }
        self
    }

    /// The time between two scrapes; one second unless set.
    pub(crate) fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Keeps exemplars (`--enable-feature=exemplar-storage`).
    pub(crate) fn exemplars(mut self) -> Self {
        self.features.push("exemplar-storage");
        self
    }

    /// Asks for protobuf and keeps native histograms (`--enable-feature=native-histograms`).
    pub(crate) fn native_histograms(mut self) -> Self {
        self.features.push("native-histograms");
        self
    }

    /// Takes series by remote write (`--web.enable-remote-write-receiver`).
    pub(crate) fn remote_write(mut self) -> Self {
        self.takes_writes = true;
        self
    }

    /// Takes functions and aggregations that are experimental
    /// (`--enable-feature=promql-experimental-functions`).
    pub(crate) fn experimental_functions(mut self) -> Self {
        self.features.push("promql-experimental-functions");
        self
    }

    /// Takes a series for 0 at its creation (`--enable-feature=created-timestamp-zero-ingestion`);
    /// only Prometheus 3 knows it.
    pub(crate) fn created_times(mut self) -> Self {
        self.features.push("created-timestamp-zero-ingestion");
        self
    }

    /// Starts the server on a free port of the loopback address and waits until it is ready.
    pub(crate) fn start(self) -> Prometheus {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
        let interval = self.interval.as_millis();
        let text = format!(
            "global: {{scrape_interval: {interval}ms, scrape_timeout: {interval}ms}}\n\
             rule_files: [{}]\n\
             scrape_configs:\n{}",
            self.rules.as_deref().unwrap_or_default(),
            self.jobs
        );
        std::fs::write(&config, text).expect("the configuration is written");
        let mut flags = Vec::new();
        if !self.features.is_empty() {
            flags.push(format!("--enable-feature={}", self.features.join(",")));
        }
        if self.takes_writes {
            flags.push("--web.enable-remote-write-receiver".to_owned());
        }
        launch(&config, folder, &flags)
    }
}

/// Starts a server with a configuration that is there, and its data in `folder`.
fn launch(config: &Path, folder: TempDir, flags: &[String]) -> Prometheus {
    let mut command = Command::new(program("TEST_PROMETHEUS"));
    command
        .arg("--web.listen-address=127.0.0.1:0")
        .arg("--log.format=logfmt")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .args(flags);
    let process = Process::spawn(&mut command);
    let address = process.wait_for_line(START, "the address it listens on", listening);
    let server = Prometheus {
        address,
        process,
        folder,
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

/// The address in the line of a program of Prometheus that says where it listens.
fn listening(line: &str) -> Option<SocketAddr> {
    // Version 2 has it without `component` in between.
    let (_, rest) = line
        .split_once("msg=\"Listening on\"")
        .or_else(|| line.split_once("msg=Listening"))?;
    let (_, rest) = rest.split_once(" address=")?;
    rest.split(' ').next()?.parse().ok()
}

/// A running server. Dropping it ends the process and removes its data.
pub(crate) struct Prometheus {
    /// Where its own HTTP interface listens.
    pub(crate) address: SocketAddr,
    // In this order: the process ends before its folder is removed.
    process: Process,
    folder: TempDir,
}

impl Prometheus {
    /// A server that scrapes nothing yet.
    pub(crate) fn builder() -> Builder {
        Builder {
            interval: Duration::from_secs(1),
            jobs: String::new(),
            features: Vec::new(),
            takes_writes: false,
            rules: None,
        }
    }

    /// A server with a configuration that is there.
    pub(crate) fn with_config(config: &Path) -> Prometheus {
        launch(
            config,
            tempfile::tempdir().expect("a temporary folder"),
            &[],
        )
    }

    /// `/api/v1/rules`: the groups.
    pub(crate) fn rule_groups(&self) -> Vec<Value> {
        let data = self.api("rules", &[]);
        data["groups"].as_array().expect("a list of groups").clone()
    }

    /// `/api/v1/query`: the `data` of the answer.
    pub(crate) fn query(&self, expression: &str) -> Value {
        self.api("query", &[("query", expression)])
    }

    /// The value of an expression that gives a scalar or one series; `None` where it gives none.
    pub(crate) fn value(&self, expression: &str) -> Option<f64> {
        let data = self.query(expression);
        let sample = if data["resultType"] == "scalar" {
            &data["result"]
        } else {
            let series = data["result"].as_array().expect("a vector");
            assert!(
                series.len() < 2,
                "{expression} gives more than one series: {data}"
            );
            &series.first()?["value"]
        };
        // A pair of time and value; the value is a string, so that it can be NaN.
        let value = sample[1].as_str().and_then(|text| text.parse().ok());
        Some(value.unwrap_or_else(|| panic!("{expression} gives no number: {data}")))
    }

    /// The first number of the server's version.
    pub(crate) fn major_version(&self) -> u32 {
        let about = self.api("status/buildinfo", &[]);
        let version = about["version"].as_str().expect("a version");
        let first = version.split('.').next().expect("at least an empty one");
        first.parse().expect("a number")
    }

    /// `/api/v1/query_range`, times in seconds since 1970.
    pub(crate) fn query_range(&self, expression: &str, start: f64, end: f64, step: f64) -> Value {
        let (start, end, step) = (start.to_string(), end.to_string(), step.to_string());
        let range = [
            ("query", expression),
            ("start", &start),
            ("end", &end),
            ("step", &step),
        ];
        self.api("query_range", &range)
    }

    /// `/api/v1/query_exemplars`, times in seconds since 1970.
    pub(crate) fn query_exemplars(&self, expression: &str, start: f64, end: f64) -> Value {
        let (start, end) = (start.to_string(), end.to_string());
        self.api(
            "query_exemplars",
            &[("query", expression), ("start", &start), ("end", &end)],
        )
    }

    /// `/api/v1/targets`: the active targets, each with its `health` and `lastError`.
    pub(crate) fn targets(&self) -> Vec<Value> {
        let data = self.api("targets", &[("state", "active")]);
        data["activeTargets"]
            .as_array()
            .expect("a list of targets")
            .clone()
    }

    /// Waits until the target of `job` was scraped well; a failure shows the server's last error.
    pub(crate) fn wait_until_up(&self, job: &str) {
        eventually(
            FIRST_SCRAPE,
            &format!("up{{job={job:?}}} is 1"),
            || match self.value(&format!("up{{job={job:?}}}")) {
                Some(1.0) => Ok(()),
                up => Err(format!("{up:?}, targets: {:?}", self.targets())),
            },
        );
    }

    /// `/api/v1/query` at a time in seconds since 1970; the server's error if it has one.
    pub(crate) fn try_query_at(&self, expression: &str, time: f64) -> Result<Value, String> {
        self.try_api(
            "query",
            &[("query", expression), ("time", &time.to_string())],
        )
    }

    /// `/api/v1/query_range`, times in seconds since 1970; the server's error if it has one.
    pub(crate) fn try_query_range(
        &self,
        expression: &str,
        start: f64,
        end: f64,
        step: f64,
    ) -> Result<Value, String> {
        let (start, end, step) = (start.to_string(), end.to_string(), step.to_string());
        let range = [("start", &*start), ("end", &end), ("step", &step)];
        let query = [("query", expression)];
        self.try_api("query_range", &[&query[..], &range[..]].concat())
    }

    /// `/api/v1/write`: a request of remote write, version 1, as it is encoded and compressed.
    pub(crate) fn write(&self, request: &[u8]) {
        let answer = Request::post(&self.url("/api/v1/write"), request)
            .header("content-type", "application/x-protobuf")
            .header("content-encoding", "snappy")
            .header("x-prometheus-remote-write-version", "0.1.0")
            .send()
            .expect("an answer");
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    fn try_api(&self, endpoint: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let answer = Request::get(&self.url(&format!("/api/v1/{endpoint}")))
            .query(parameters)
            .send()
            .unwrap_or_else(|error| panic!("{endpoint} {parameters:?}: {error}"));
        let mut json = answer.json();
        if json["status"] == "success" {
            return Ok(json["data"].take());
        }
        Err(json["error"].to_string())
    }

    fn api(&self, endpoint: &str, parameters: &[(&str, &str)]) -> Value {
        let answer = Request::get(&self.url(&format!("/api/v1/{endpoint}")))
            .query(parameters)
            .send()
            .unwrap_or_else(|error| panic!("{endpoint} {parameters:?}: {error}"));
        let mut json = answer.json();
        assert_eq!(
            json["status"], "success",
            "{endpoint} {parameters:?}: {json}"
        );
        json["data"].take()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The program that an environment variable of `tests/all.sh` names.
pub(crate) fn program(variable: &str) -> OsString {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run `tests/all.sh prometheus`"))
}
